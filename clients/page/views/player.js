/** The player: the clip, and what plays it. */

import { clock } from '../core/time.js';
import { player, RATES } from '../media/player.js';
import { attachCopy, urlOf } from '../media/source.js';
import { paintPicture } from '../media/still.js';
import { videoRef } from '../media/video.js';
import { following, write } from '../timeline/follow.js';
import { onKey } from '../timeline/keys.js';
import { argsOf } from '../timeline/model.js';
import { ref } from '../vendor/lit-html/directives/ref.js';
import { html } from '../vendor/lit-html/lit-html.js';

/** @import { App, State, TimelineArgs } from '../types.d.ts' */

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
    ${following(paint(args.duration))}>
    <video src=${url} preload="auto" playsinline aria-label=${t.player_video}
      @click=${() => player.toggle()} ${ref(videoRef(app))}></video>
    ${state.player.hasFailed ? html`<p class="soft">${t.player_failed}</p>` : bar(args, state, app)}
  </section>`;
}

/**
 * What the keys of a player without a timeline move along.
 *
 * @param {State} state
 * @returns {TimelineArgs}
 */
function nothing({ duration }) {
  return { windows: [], duration: duration ?? 0, labels: [], isComplete: false };
}

/**
 * @param {TimelineArgs} args
 * @param {State} state
 * @param {App} app
 */
function bar({ duration }, { player: { isPlaying, isMuted, rate } }, app) {
  const t = app.t();
  const seek = (/** @type {InputEvent} */ { target }) =>
    player.seek(Number(/** @type {HTMLInputElement} */ (target).value));
  const pace = (/** @type {Event} */ { target }) => {
    player.rate = Number(/** @type {HTMLSelectElement} */ (target).value);
  };
  return html`<div class="player-bar">
    <button class="button" type="button" @click=${() => player.toggle()}>
      ${isPlaying ? t.player_pause : t.player_play}
    </button>
    <input type="range" class="player-range" data-range min="0" max=${duration} step="any"
      aria-label=${t.player_position} @input=${seek}>
    <span class="player-time" data-time></span>
    <select aria-label=${t.player_speed} @change=${pace}>
      ${RATES.map(
        (choice) => html`<option value=${choice} ?selected=${choice === rate}>
          ${t.player_rate({ rate: choice })}
        </option>`,
      )}
    </select>
    <button class="button button-quiet" type="button" @click=${() => player.setMuted(!isMuted)}>
      ${isMuted ? t.player_unmute : t.player_mute}
    </button>
  </div>`;
}

/**
 * @param {number} duration
 * @returns {(root: Element) => void}
 */
function paint(duration) {
  return (root) => {
    const time = Math.min(player.time, duration || Number.POSITIVE_INFINITY);
    const range = root.querySelector('[data-range]');
    if (range instanceof HTMLInputElement) {
      range.value = String(time);
      range.setAttribute('aria-valuetext', `${clock(time)} / ${clock(duration)}`);
    }
    write(root.querySelector('[data-time]'), `${clock(time)} / ${clock(duration)}`);
  };
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
      <input class="unseen" type="file" accept="video/*,.mkv,.avi" @change=${attach}>
    </label>
  </div>`;
}
