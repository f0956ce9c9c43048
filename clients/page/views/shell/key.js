/** The box for an API key, shown where the server asks for one. */

import { useKey } from '../../core/key.js';
import { checkServer } from '../../server.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../../types.d.ts' */

/**
 * @param {State} state
 * @param {App} app
 */
export function keyView({ server }, app) {
  const t = app.t();
  if (server.kind !== 'key_missing' && server.kind !== 'key_wrong') {
    return nothing;
  }
  return html`<form class="key trouble" @submit=${(/** @type {SubmitEvent} */ event) => submit(event, app)}>
    <p id="key-words" role="alert">
      ${server.kind === 'key_wrong' ? t.failure_key_wrong : t.failure_key_missing}
    </p>
    <div class="row">
      <input
        name="key"
        type="password"
        autocomplete="off"
        required
        aria-label=${t.key}
        aria-describedby="key-words"
      />
      <label class="check"><input name="kept" type="checkbox" />${t.key_keep}</label>
      <button class="button button-primary" type="submit">${t.key_use}</button>
    </div>
  </form>`;
}

/**
 * @param {SubmitEvent} event
 * @param {App} app
 */
function submit(event, app) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.currentTarget);
  const given = new FormData(form);
  useKey(String(given.get('key')), given.has('kept'));
  form.reset();
  checkServer(app);
}
