/** The buttons that save an answer. */

import { html } from '../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../types.d.ts' */

/**
 * @param {State} _state
 * @param {App} _app
 */
export function exportView(_state, _app) {
  return html``;
}
