/** The menu that copies the request as code. */

import { html } from '../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../types.d.ts' */

/**
 * @param {State} _state
 * @param {App} _app
 */
export function requestView(_state, _app) {
  return html``;
}
