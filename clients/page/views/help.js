/** The view `help`. */

import { html } from '../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../types.d.ts' */

/**
 * @param {State} _state
 * @param {App} app
 */
export function helpView(_state, app) {
  return html`<h1 tabindex="-1">${app.t().nav_help}</h1>`;
}
