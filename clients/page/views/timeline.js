/** The timeline under the player. */

import { html } from '../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../types.d.ts' */

/**
 * @param {State} _state
 * @param {App} _app
 */
export function timelineView(_state, _app) {
  return html``;
}
