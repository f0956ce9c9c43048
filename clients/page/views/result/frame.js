/** The small picture that the model looked at, and [Show]. */

import { secondsText } from '../../core/time.js';
import { paintFrame } from '../../media/frame.js';
import { player } from '../../media/player.js';
import { urlOf } from '../../media/source.js';
import { ref } from '../../vendor/lit-html/directives/ref.js';
import { html } from '../../vendor/lit-html/lit-html.js';

/** @import { App, State } from '../../types.d.ts' */

/** What each canvas shows, so that it is painted once. @type {WeakMap<Element, string>} */
const painted = new WeakMap();

/**
 * @param {State} state
 * @param {App} app
 */
export function frameView({ run, clip, player: { hasFailed } }, app) {
  const url = clip && urlOf(clip);
  const isPicture = clip?.kind === 'file' && clip.file.type.startsWith('image/');
  if (run.kind !== 'done' || !url || hasFailed || isPicture || isSound(run.answer.evidence)) {
    return '';
  }
  const t = app.t();
  const { frame_time: time } = run.answer.evidence;
  return html`<div class="frame">
    <canvas class="frame-picture" role="img" width="0" height="0"
      aria-label=${t.frame_picture({ time: secondsText(t, time, 2) })}
      ${ref((element) => element && paint(element, url, time))}></canvas>
    <button class="button button-quiet" type="button" aria-label=${t.frame_show_long}
      @click=${() => player.showFrame(time)}>${t.frame_show}</button>
  </div>`;
}

/** @param {import('../../vendor/emotion-llama-sdk/index.js').Evidence} evidence */
const isSound = ({ has_picture }) => has_picture === false;

/**
 * @param {Element} canvas
 * @param {string} url
 * @param {number} time
 */
async function paint(canvas, url, time) {
  const wanted = `${url} ${time}`;
  if (painted.get(canvas) === wanted) {
    return;
  }
  painted.set(canvas, wanted);
  try {
    await paintFrame(/** @type {HTMLCanvasElement} */ (canvas), url, time);
  } catch {
    // The words beside it say which frame it was.
  }
}
