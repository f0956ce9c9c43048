/** The player: the clip, and what plays it. */

import { player } from '../../media/player.js';
import { attachCopy, urlOf } from '../../media/source.js';
import { paintPicture } from '../../media/still.js';
import { videoRef } from '../../media/video.js';
import { following } from '../../timeline/follow.js';
import { onKey } from '../../timeline/keys.js';
import { argsOf } from '../../timeline/model.js';
import { ref } from '../../vendor/lit-html/directives/ref.js';
import { html } from '../../vendor/lit-html/lit-html.js';
import { barView, paintBar } from './bar.js';

/** @import { App, State, TimelineArgs } from '../../types.d.ts' */

/**
 * @param {State} state
 * @param {App} app
 */
export function playerView(state, app) {
  const { clip } = state;
  const url = clip && urlOf(clip);
  if (!clip) {
    return '';
  }
  if (!url) {
    return noPreview(app);
  }
  return clip.kind === 'file' && clip.file.type.startsWith('image/')
    ? pictureView(clip.file, state, app)
    : videoView(url, state, app);
}

/**
 * @param {File} file
 * @param {State} state
 * @param {App} app
 */
function pictureView(file, { player: { hasFailed } }, app) {
  const t = app.t();
  return hasFailed
    ? html`<p class="soft">${t.player_failed}</p>`
    : html`<canvas class="player-picture" role="img" aria-label=${t.player_picture}
        ${ref((canvas) => canvas && paintPicture(app, canvas, file))}></canvas>`;
}

/**
 * @param {string} url
 * @param {State} state
 * @param {App} app
 */
function videoView(url, state, app) {
  const t = app.t();
  const args = argsOf(state) ?? nothing(state);
  return html`<section class="player" aria-label=${t.player_title}
    @keydown=${(/** @type {KeyboardEvent} */ event) => onKey(event, app, args)}
    ${following(paintBar(args))}>
    <video src=${url} preload="auto" playsinline aria-label=${t.player_video}
      @click=${() => player.toggle()} ${ref(videoRef(app))}></video>
    <p class="player-seen small" data-seen hidden>◆ ${t.player_seen}</p>
    ${state.player.hasFailed ? html`<p class="soft">${t.player_failed}</p>` : barView(args, state, app)}
  </section>`;
}

/**
 * What the keys of a player without a timeline move along.
 *
 * @param {State} state
 * @returns {TimelineArgs}
 */
function nothing({ duration, run }) {
  const frameTime = run.kind === 'done' ? run.answer.evidence.frame_time : null;
  return { windows: [], duration: duration ?? 0, labels: [], isComplete: false, frameTime };
}

/** @param {App} app */
function noPreview(app) {
  const t = app.t();
  const attach = (/** @type {Event} */ { target }) => {
    const file = /** @type {HTMLInputElement} */ (target).files?.[0];
    if (file) {
      attachCopy(app, file);
    }
  };
  return html`<div class="player-none">
    <p>${t.player_no_preview}</p>
    <label class="button">
      ${t.player_own_copy}
      <input class="unseen" type="file" accept="video/*,audio/*,.mkv,.avi" @change=${attach}>
    </label>
  </div>`;
}
