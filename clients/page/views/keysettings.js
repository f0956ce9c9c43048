/** The part of the settings about the API key. */

import { currentKey, forgetKey, isKeyKept, useKey } from '../core/key.js';
import { checkServer } from '../server.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../types.d.ts' */

/**
 * @param {State} _state
 * @param {App} app
 */
export function keySettings(_state, app) {
  const t = app.t();
  const hasKey = currentKey() !== undefined;
  return html`<form class="card stack" @submit=${submit}>
    <h2>${t.settings_key}</h2>
    <p class="soft small" id="settings-key-hint">
      ${hasKey ? t.settings_key_has : t.settings_key_hint}
    </p>
    <div class="row">
      <input id="settings-key" name="key" type="password" autocomplete="off" required
        aria-label=${t.key} aria-describedby="settings-key-hint" />
      <button class="button" type="button" aria-pressed="false" @click=${show}>
        ${t.settings_key_show}
      </button>
    </div>
    <div class="row">
      <label class="check">
        <input type="radio" name="kept" value="" ?checked=${!isKeyKept()} />${t.settings_key_tab}
      </label>
      <label class="check">
        <input type="radio" name="kept" value="yes" ?checked=${isKeyKept()} />${t.key_keep}
      </label>
    </div>
    <div class="row">
      <button class="button button-primary" type="submit">${t.key_use}</button>
      ${
        hasKey
          ? html`<button class="button" type="button" @click=${forget}>
            ${t.settings_key_forget}
          </button>`
          : nothing
      }
    </div>
  </form>`;

  /** @param {SubmitEvent} event */
  function submit(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const given = new FormData(form);
    useKey(String(given.get('key')), given.get('kept') === 'yes');
    form.reset();
    app.announce(t.settings_saved);
    checkServer(app);
  }

  function forget() {
    forgetKey();
    app.store.set({});
    app.announce(t.settings_key_forgotten);
    checkServer(app);
  }
}

/** @param {Event} event - Lets the key be read, or no more. */
function show({ currentTarget }) {
  const button = /** @type {HTMLButtonElement} */ (currentTarget);
  const input = /** @type {HTMLInputElement} */ (document.getElementById('settings-key'));
  const isShown = input.type === 'password';
  input.type = isShown ? 'text' : 'password';
  button.setAttribute('aria-pressed', String(isShown));
}
