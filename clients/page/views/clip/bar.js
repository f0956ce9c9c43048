/** The bar below the clip: plays it, and tells and takes the position. */

import { clock } from '../../core/time.js';
import { player, RATES } from '../../media/player.js';
import { write } from '../../timeline/follow.js';
import { html } from '../../vendor/lit-html/lit-html.js';

/** @import { App, State, TimelineArgs } from '../../types.d.ts' */

/** Seconds around the used frame in which it is the one that is shown, at 25 frames a second. */
const NEAR = 0.02;

/**
 * A button that does what it says, even if the clip ends just before it is pressed.
 *
 * @param {App} app
 * @param {string} classes
 */
export function playView(app, classes) {
  const t = app.t();
  const { isPlaying } = app.store.get().player;
  const act = () => (isPlaying ? player.pause() : player.play());
  return html`<button class=${classes} type="button" @click=${act}>
    ${isPlaying ? t.player_pause : t.player_play}
  </button>`;
}

/**
 * @param {TimelineArgs} args
 * @param {State} state
 * @param {App} app
 */
export function barView({ duration, frameTime }, { player: { isMuted, rate } }, app) {
  const t = app.t();
  const seek = (/** @type {InputEvent} */ { target }) =>
    player.seek(Number(/** @type {HTMLInputElement} */ (target).value));
  const pace = (/** @type {Event} */ { target }) => {
    player.rate = Number(/** @type {HTMLSelectElement} */ (target).value);
  };
  return html`<div class="player-bar">
    ${playView(app, 'button')}
    <span class="player-track">
      <input type="range" class="player-range" data-range min="0" max=${duration} step="any"
        aria-label=${t.player_position} @input=${seek}>
      <span class="player-mark" data-mark aria-hidden="true" ?hidden=${frameTime == null}>◆</span>
    </span>
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
 * Return what paints the position into a player.
 *
 * @param {TimelineArgs} args
 * @returns {(root: Element) => void}
 */
export function paintBar({ duration, frameTime }) {
  return (root) => {
    const time = Math.min(player.time, duration || Number.POSITIVE_INFINITY);
    const text = `${clock(time)} / ${clock(duration)}`;
    const range = root.querySelector('[data-range]');
    if (range instanceof HTMLInputElement) {
      range.value = String(time);
      range.setAttribute('aria-valuetext', text);
    }
    write(root.querySelector('[data-time]'), text);
    const isSeen = frameTime != null && !player.isPlaying && Math.abs(time - frameTime) < NEAR;
    root.querySelector('[data-seen]')?.toggleAttribute('hidden', !isSeen);
    const mark = root.querySelector('[data-mark]');
    if (mark instanceof HTMLElement && frameTime != null) {
      mark.style.setProperty('--at', String(frameTime / (duration || 1)));
    }
  };
}
