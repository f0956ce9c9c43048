/** The player of the chosen clip. */

import { html } from '../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../types.d.ts' */

/**
 * @param {State} _state
 * @param {App} _app
 */
export function playerView(_state, _app) {
  return html``;
}
