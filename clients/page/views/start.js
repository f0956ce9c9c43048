/** The clip panel: choose, drop, record, name or sample a clip; then its player. */

import { SAMPLES } from '../media/samples.js';
import { setClip, takeFile, takeSample } from '../media/source.js';
import { openRecord } from '../record/record.js';
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { failureView } from './failure.js';
import { nameDialog, openNameDialog } from './name.js';
import { playerView } from './player.js';

/** @import { App, Clip, State } from '../types.d.ts' */

/** By content; whether it is a clip is the server's to say. */
const ACCEPTED = 'video/*,image/png,image/jpeg,.mkv,.avi';

/**
 * @param {State} state
 * @param {App} app
 */
export function startView(state, app) {
  const t = app.t();
  const { clip, problem } = state;
  return html`<section class="card stack clip" aria-labelledby="clip">
    <div class="clip-head">
      <h2 id="clip">${t.clip}</h2>
      ${clip ? chosenView(clip, app) : nothing}
    </div>
    ${problem ? failureView(problem, state, app) : nothing}
    ${clip ? playerView(state, app) : dropView(app)}
    ${
      clip
        ? html`${samplesView(state, app)}
          <details>
            <summary>${t.clip_another}</summary>
            ${sourcesView(state, app)}
          </details>`
        : html`${sourcesView(state, app)} ${samplesView(state, app)}`
    }
        ${nameDialog('url', state, app)} ${nameDialog('path', state, app)}
  </section>`;
}

/** @param {State} state @param {App} app */
function sourcesView({ clip }, app) {
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

/** @param {App} app */
function dropView(app) {
  const t = app.t();
  return html`<div class="drop">
    <svg class="drop-picture" viewBox="0 0 48 48" aria-hidden="true" focusable="false">
      <rect x="3" y="9" width="42" height="30" rx="6" /><path d="M20 18v12l10-6z" />
    </svg>
    <div>
      <p class="drop-words">${t.clip_drop}</p>
      <p class="soft small">${t.clip_kinds}</p>
    </div>
    ${chooseButton(app, 'button-primary')}
  </div>`;
}

/**
 * A button that opens the browser's dialog for files.
 *
 * @param {App} app
 * @param {string} [look]
 */
function chooseButton(app, look = '') {
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

/** @param {Clip} clip @param {App} app */
function chosenView(clip, app) {
  const t = app.t();
  return html`<span class="clip-name soft" title=${clip.name}>${clip.name}</span>
    <button class="button button-quiet" type="button" @click=${() => setClip(app, null)}>
      ${t.clip_remove}
    </button>`;
}

/** @param {State} state @param {App} app */
function samplesView({ clip }, app) {
  const t = app.t();
  return html`<div class="samples ${clip ? 'samples-small' : ''}">
    <h3 class="small soft">${t.samples}</h3>
    <ul role="list">
      ${SAMPLES.map((sample) => {
        const isChosen = clip?.kind === 'file' && clip.sample && clip.name === `${sample.name}.mp4`;
        return html`<li>
          <button
            class="sample"
            type="button"
            aria-pressed=${isChosen ? 'true' : 'false'}
            @click=${() => takeSample(app, sample)}
          >
            <video src="page/samples/${sample.name}.mp4#t=0.1" preload="metadata" tabindex="-1"
              aria-hidden="true" muted playsinline></video>
            <span>${t[`sample_${sample.name}`]}</span>
          </button>
        </li>`;
      })}
    </ul>
  </div>`;
}
