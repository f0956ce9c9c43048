/** What is around every view: skip link, header, notice and, on phones, the bar below. */

import { html } from '../vendor/lit-html/lit-html.js';
import { analyseView } from './analyse.js';
import { helpView } from './help.js';
import { liveView } from './live.js';
import { manyView } from './many.js';
import { settingsView } from './settings.js';

/** @import { App, State } from '../types.d.ts' */

const VIEWS = {
  analyse: analyseView,
  live: liveView,
  many: manyView,
  settings: settingsView,
  help: helpView,
};

/**
 * @param {State} state
 * @param {App} app
 */
export function shellView(state, app) {
  return html`<main id="main">${VIEWS[state.route](state, app)}</main>`;
}
