/** The view `#/settings`: the key first, then the page, the model and what is kept here. */

import { resetColours } from '../core/colours.js';
import { forgetKey } from '../core/key.js';
import { changeSettings, deleteSettings } from '../core/settings.js';
import { checkServer } from '../server.js';
import { live } from '../vendor/lit-html/directives/live.js';
import { html } from '../vendor/lit-html/lit-html.js';
import { keySettings } from './keysettings.js';
import { languageField } from './question/more.js';
import { themeSelect } from './shell/theme.js';

/** @import { App, Language, Settings, State } from '../types.d.ts' */

/** @typedef {'temperature' | 'maxTokens' | 'seed' | 'clipsAtOnce'} NumberName */

/** @type {Record<NumberName, {least: number, most: number, step: number | 'any'}>} */
const RANGES = {
  temperature: { least: 0, most: 2, step: 'any' },
  maxTokens: { least: 1, most: 2048, step: 1 },
  seed: { least: 0, most: Number.MAX_SAFE_INTEGER, step: 1 },
  clipsAtOnce: { least: 1, most: 4, step: 1 },
};

/**
 * @param {State} state
 * @param {App} app
 */
export function settingsView(state, app) {
  const t = app.t();
  return html`<div class="page-head">
      <h1 tabindex="-1">${t.nav_settings}</h1>
      <p class="soft">${t.settings_lead}</p>
    </div>
    <div class="stack settings">
      ${keySettings(state, app)}
      <section class="card stack">
        <h2>${t.settings_page}</h2>
        ${pageFields(state, app)}
      </section>
      <section class="card stack">
        <h2>${t.settings_model}</h2>
        ${languageField(state, app)}
        ${numberField('temperature', t.settings_temperature, t.settings_temperature_hint, state, app)}
        ${numberField('maxTokens', t.settings_tokens, '', state, app)}
        ${numberField('seed', t.settings_seed, t.settings_seed_hint, state, app)}
        ${numberField('clipsAtOnce', t.settings_at_once, '', state, app)}
      </section>
      <section class="card stack">
        <h2>${t.settings_device}</h2>
        <div class="row">
          <button class="button" type="button" @click=${() => forgetColours(app)}>
            ${t.settings_reset_colours}
          </button>
          <button class="button" type="button" @click=${() => deleteAll(app)}>
            ${t.settings_delete}
          </button>
        </div>
      </section>
    </div>`;
}

/** @param {State} state @param {App} app */
function pageFields(state, app) {
  const { settings } = state;
  const t = app.t();
  const speak = (/** @type {Event & {target: HTMLSelectElement}} */ { target }) =>
    changeSettings(app, { language: /** @type {Language} */ (target.value) });
  const keys = (/** @type {Event & {target: HTMLInputElement}} */ { target }) =>
    changeSettings(app, { singleKeys: target.checked });
  return html`<div class="field">
      <label for="page-language">${t.settings_language}</label>
      <select id="page-language" .value=${live(settings.language)} @change=${speak}>
        <option value="en" lang="en" ?selected=${settings.language === 'en'}>English</option>
        <option value="zh" lang="zh-CN" ?selected=${settings.language === 'zh'}>中文</option>
      </select>
    </div>
    ${themeSelect(state, app)}
    <label class="check">
      <input type="checkbox" .checked=${live(settings.singleKeys)} @change=${keys} />
      ${t.settings_keys}
    </label>`;
}

/**
 * @param {NumberName} name
 * @param {string} words
 * @param {string} hint
 * @param {State} state
 * @param {App} app
 */
function numberField(name, words, hint, { settings }, app) {
  const { least, most, step } = RANGES[name];
  const change = (/** @type {Event & {target: HTMLInputElement}} */ { target }) => {
    if (!target.reportValidity()) {
      target.value = String(settings[name] ?? '');
    } else {
      const value = target.value === '' ? null : target.valueAsNumber;
      changeSettings(app, /** @type {Partial<Settings>} */ ({ [name]: value }));
    }
  };
  return html`<div class="field">
    <label for=${name}>${words}</label>
    <input
      id=${name}
      type="number"
      min=${least}
      max=${most}
      step=${step}
      ?required=${name !== 'seed'}
      aria-describedby="${name}-hint"
      .value=${String(settings[name] ?? '')}
      @change=${change}
    />
    <p id="${name}-hint" class="soft small">${hint}</p>
  </div>`;
}

/** @param {App} app */
function forgetColours(app) {
  resetColours();
  app.store.set({});
  app.announce(app.t().settings_reset_colours_done);
}

/** @param {App} app */
function deleteAll(app) {
  forgetKey();
  resetColours();
  deleteSettings(app);
  app.announce(app.t().settings_delete_done);
  checkServer(app);
}
