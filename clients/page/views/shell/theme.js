/** The switch between the system's theme, the light and the dark one. */

import { changeSettings } from '../../core/settings.js';
import { live } from '../../vendor/lit-html/directives/live.js';
import { html } from '../../vendor/lit-html/lit-html.js';

/** @import { App, State, Theme } from '../../types.d.ts' */

/** @type {Theme[]} */
const THEMES = ['system', 'light', 'dark'];

/**
 * @param {State} state
 * @param {App} app
 */
export function themeSelect({ settings }, app) {
  const t = app.t();
  const change = (/** @type {Event & {target: HTMLSelectElement}} */ { target }) =>
    changeSettings(app, { theme: /** @type {Theme} */ (target.value) });
  return html`<select aria-label=${t.theme} .value=${live(settings.theme)} @change=${change}>
    ${THEMES.map(
      (theme) =>
        html`<option value=${theme} ?selected=${theme === settings.theme}>
          ${t[`theme_${theme}`]}
        </option>`,
    )}
  </select>`;
}
