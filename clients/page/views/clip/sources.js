/** The ways to a clip: a file, the camera, a URL, a path on the server. */

import { takeFile } from '../../media/source.js';
import { openRecord } from '../../record/record.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { openNameDialog } from './name.js';

/** @import { App, State } from '../../types.d.ts' */

/** By content; whether it is a clip is the server's to say. */
const ACCEPTED = 'video/*,audio/*,image/png,image/jpeg,.mkv,.avi';

/**
 * @param {State} state
 * @param {App} app
 */
export function sourcesView({ clip }, app) {
  const t = app.t();
  return html`<div class="row sources">
    ${clip ? chooseButton(app) : nothing}
    <button class="button" type="button" @click=${() => openRecord(app)}>${t.clip_record}</button>
    <button class="button" type="button" @click=${() => openNameDialog('url')}>${t.clip_url}</button>
    <button class="button" type="button" @click=${() => openNameDialog('path')}>
      ${t.clip_path}
    </button>
  </div>`;
}

/**
 * A button that opens the browser's dialog for files.
 *
 * @param {App} app
 * @param {string} [look]
 */
export function chooseButton(app, look = '') {
  const take = (/** @type {Event} */ { currentTarget }) => {
    const input = /** @type {HTMLInputElement} */ (currentTarget);
    const [file] = input.files ?? [];
    if (file) {
      takeFile(app, file);
    }
    input.value = '';
  };
  const open = (/** @type {Event} */ { currentTarget }) => {
    const input = /** @type {Element} */ (currentTarget).nextElementSibling;
    /** @type {HTMLInputElement} */ (input).click();
  };
  return html`<button class="button ${look}" type="button" data-param="video" @click=${open}>
      ${app.t().clip_choose}
    </button>
    <input id="file" type="file" accept=${ACCEPTED} hidden @change=${take} />`;
}
