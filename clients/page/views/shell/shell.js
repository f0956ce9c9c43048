/** What is around every view: skip link, header, notice, and on phones the bar below. */

import { hashOf } from '../../core/route.js';
import { changeSettings } from '../../core/settings.js';
import { html } from '../../vendor/lit-html/lit-html.js';
import { analyseView } from '../analyse.js';
import { helpView } from '../help.js';
import { jobsView } from '../jobs.js';
import { liveView } from '../live/live.js';
import { manyView } from '../many/many.js';
import { settingsView } from '../settings.js';
import { keyView } from './key.js';
import { noticeView } from './notice.js';
import { patternsView } from './patterns.js';
import { serverView, troubleView } from './status.js';
import { themeSelect } from './theme.js';

/** @import { App, Route, State } from '../../types.d.ts' */

const VIEWS = {
  analyse: analyseView,
  live: liveView,
  many: manyView,
  jobs: jobsView,
  settings: settingsView,
  help: helpView,
};

/**
 * @param {State} state
 * @param {App} app
 */
export function shellView(state, app) {
  const t = app.t();
  return html`
    <a class="skip button" href="#main" @click=${skip}>${t.shell_skip}</a>
    ${patternsView()}
    <header>
      <div class="header">
        <a class="brand" href="#/"><img src="page/icon.svg" alt="" />Emotion-LLaMA</a>
        ${navView(state, app)}
        <div class="header-end">
          ${serverView(state, app)} ${themeSelect(state, app)} ${languageView(state, app)}
        </div>
      </div>
      <div class="strip">
        ${noticeView(state, app)} ${troubleView(state, app)} ${keyView(state, app)}
      </div>
    </header>
    <main id="main" tabindex="-1">${VIEWS[state.route](state, app)}</main>
    <footer class="footer">${t.shell_privacy}</footer>
  `;
}

/**
 * The jobs are a part of the view of many clips.
 *
 * @param {State} state
 * @param {App} app
 */
function navView(state, app) {
  const t = app.t();
  const route = state.route === 'jobs' ? 'many' : state.route;
  const names = /** @type {Route[]} */ (Object.keys(VIEWS)).filter((name) => name !== 'jobs');
  return html`<nav class="nav" aria-label=${t.shell_nav}>
    ${names.map(
      (name) =>
        html`<a href=${hashOf(name)} aria-current=${name === route ? 'page' : 'false'}>
          ${t[`nav_${name}`]}
        </a>`,
    )}
  </nav>`;
}

/**
 * @param {State} state
 * @param {App} app
 */
function languageView({ settings }, app) {
  const other = settings.language === 'zh' ? 'en' : 'zh';
  const [name, tag] = other === 'zh' ? ['中文', 'zh-CN'] : ['English', 'en'];
  return html`<button
    class="button button-quiet"
    type="button"
    lang=${tag}
    @click=${() => changeSettings(app, { language: other })}
  >
    ${name}
  </button>`;
}

/** @param {Event} event - The address is the route's: it stays as it is. */
function skip(event) {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
