/** The clip panel: where a clip is chosen, and then its player. */

import { setClip } from '../../media/source.js';
import { html, nothing } from '../../vendor/lit-html/lit-html.js';
import { failureView } from '../shell/failure.js';
import { nameDialog } from './name.js';
import { playerView } from './player.js';
import { samplesView } from './samples.js';
import { chooseButton, sourcesView } from './sources.js';

/** @import { App, Clip, State } from '../../types.d.ts' */

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
    ${clip ? nothing : html`${sourcesView(state, app)} ${samplesView(state, app)}`}
    ${nameDialog('url', state, app)} ${nameDialog('path', state, app)}
  </section>`;
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

/** @param {Clip} clip @param {App} app */
function chosenView(clip, app) {
  const t = app.t();
  return html`<span class="clip-name soft" title=${clip.name}>${clip.name}</span>
    <button class="button button-quiet" type="button" @click=${() => setClip(app, null)}>
      ${t.clip_remove}
    </button>`;
}

/**
 * The ways to another clip, once there is one.
 *
 * @param {State} state
 * @param {App} app
 */
export function anotherView(state, app) {
  return html`<section class="card stack another" aria-labelledby="another">
    <h2 id="another">${app.t().clip_another}</h2>
    ${sourcesView(state, app)} ${samplesView(state, app)}
  </section>`;
}
