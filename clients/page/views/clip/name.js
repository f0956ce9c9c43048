/** The dialogs that take a clip by its URL or by a path on the server. */

import { takeName } from '../../media/source.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../../types.d.ts' */

/** @typedef {'url' | 'path'} Kind */

/** @param {Kind} kind */
export function openNameDialog(kind) {
  /** @type {HTMLDialogElement} */ (document.getElementById(`${kind}-dialog`)).showModal();
}

/**
 * @param {Kind} kind
 * @param {State} state
 * @param {App} app
 */
export function nameDialog(kind, { server }, app) {
  const t = app.t();
  const isOff = server.model?.sources?.[kind === 'url' ? 'urls' : 'paths'] === false;
  const take = (/** @type {SubmitEvent} */ event) => {
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    takeName(app, kind, String(new FormData(form).get('name')));
  };
  return html`<dialog id="${kind}-dialog" aria-labelledby="${kind}-title">
    <form class="stack" method="dialog" @submit=${take}>
      <h2 id="${kind}-title">${t[`name_${kind}`]}</h2>
      <div class="field">
        <label for="${kind}-name">${t[`name_${kind}_label`]}</label>
        <input
          id="${kind}-name"
          name="name"
          type=${kind === 'url' ? 'url' : 'text'}
          required
          autocomplete="off"
          aria-describedby="${kind}-hint"
          placeholder=${kind === 'url' ? 'https://example.org/clip.mp4' : 'interviews/clip.mp4'}
        />
        <p id="${kind}-hint" class="soft small">${t[`name_${kind}_hint`]}</p>
        ${isOff ? html`<p class="small caution">${t[`name_${kind}_off`]}</p>` : nothing}
      </div>
      <div class="row">
        <button class="button button-primary" type="submit">${t.name_use}</button>
        <button class="button" type="button" @click=${close}>${t.cancel}</button>
      </div>
    </form>
  </dialog>`;
}

/** @param {Event} event */
function close({ currentTarget }) {
  /** @type {Element} */ (currentTarget).closest('dialog')?.close();
}
