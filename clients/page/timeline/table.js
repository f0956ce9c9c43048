/** Shows a timeline as a table: a row for each window, with all its numbers. */

import { labelText } from '../core/labels.js';
import { percent } from '../core/numbers.js';
import { secondsText } from '../core/time.js';
import { player } from '../media/player.js';
import { html } from '../vendor/lit-html/lit-html.js';
import { swatch } from '../views/shell/patterns.js';

/** @import { App, Strings, TimelineArgs, TimelineWindow } from '../types.d.ts' */

/**
 * @param {TimelineArgs} args
 * @param {App} app
 */
export function tableView(args, app) {
  const t = app.t();
  const { windows, labels } = args;
  const hasFrames = windows.some((window) => window.frame_time !== undefined);
  return html`<div class="tl-scroll" tabindex="0" role="region" aria-label=${t.timeline_table}>
    <table class="tl-table">
      <caption class="unseen">${t.timeline_caption}</caption>
      <thead>
        <tr>
          <th scope="col">${t.timeline_column_start}</th>
          <th scope="col">${t.timeline_column_end}</th>
          <th scope="col">${t.timeline_column_label}</th>
          ${labels.map((label) => html`<th scope="col">${labelText(t, label)}</th>`)}
          ${hasFrames ? html`<th scope="col">${t.timeline_column_frame}</th>` : ''}
        </tr>
      </thead>
      <tbody>
        ${rows(args, hasFrames, t)}
      </tbody>
    </table>
  </div>`;
}

/** The last rows, which often stay the same. */
let last = { key: '', windows: /** @type {TimelineWindow[]} */ ([]), rows: [html``] };

/**
 * @param {TimelineArgs} args
 * @param {boolean} hasFrames
 * @param {Strings} t
 */
function rows({ windows, labels, isLive }, hasFrames, t) {
  const key = `${t.tag} ${player.hasVideo}`;
  if (last.key !== key || last.windows !== windows) {
    const made = windows.map((window, at) => row(window, at, labels, hasFrames, t, isLive));
    last = { key, windows, rows: made };
  }
  return last.rows;
}

/**
 * @param {TimelineWindow} window
 * @param {number} index
 * @param {string[]} labels
 * @param {boolean} hasFrames
 * @param {Strings} t
 * @param {boolean} [isLive]
 */
function row(window, index, labels, hasFrames, t, isLive) {
  const frame = window.frame_time;
  return html`<tr data-row=${index}>
    <th scope="row">${isLive ? secondsText(t, window.start, 2) : playFrom(window.start, t)}</th>
    <td>${secondsText(t, window.end, 2)}</td>
    <td>${swatch(window.emotion)} ${labelText(t, window.emotion)}</td>
    ${labels.map((label) => html`<td>${percent(t, window.probabilities[label] ?? 0)}</td>`)}
    ${hasFrames ? html`<td>${frame == null ? '' : secondsText(t, frame, 2)}</td>` : ''}
  </tr>`;
}

/**
 * @param {number} start
 * @param {Strings} t
 */
function playFrom(start, t) {
  const time = secondsText(t, start, 2);
  const go = () => {
    player.seek(start);
    player.play();
  };
  const name = player.hasVideo ? t.timeline_play_from({ time }) : t.timeline_go_to({ time });
  return html`<button class="button button-quiet" type="button" aria-label=${name}
    @click=${go}>${player.hasVideo ? '▶ ' : ''}${time}</button>`;
}
