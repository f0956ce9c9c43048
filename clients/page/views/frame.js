/** The small picture that the model looked at, and [Show]. */

import { html } from '../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../types.d.ts' */

/**
 * @param {State} _state
 * @param {App} _app
 */
export function frameView(_state, _app) {
  return html``;
}
