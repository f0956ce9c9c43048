/** The timeline: chart or table, and what leads through it. */

import { player } from '../../media/player.js';
import { seekChange, setTimeline, toggleLoop, zoom } from '../../timeline/actions.js';
import { geometryOf } from '../../timeline/draw/geometry.js';
import { following } from '../../timeline/follow.js';
import { onKey } from '../../timeline/keys.js';
import { argsOf, cellsFor, viewOf } from '../../timeline/model.js';
import { playhead } from '../../timeline/playhead.js';
import { tableView } from '../../timeline/table.js';
import { html } from '../../vendor/lit-html/lit-html.js';
import { playView } from '../clip/bar.js';
import { chartView } from './chart.js';

/** @import { App, State, TimelineArgs } from '../../types.d.ts' */

/** Seconds from which on a clip can be looked at more closely. */
const LONG = 10;

/**
 * The timeline of the run; nothing where none has come.
 *
 * @param {State} state
 * @param {App} app
 */
export function timelineView(state, app) {
  const args = argsOf(state);
  return args ? timelinePanel(args, app) : '';
}

/**
 * Any timeline.
 *
 * @param {TimelineArgs} args
 * @param {App} app
 */
export function timelinePanel(args, app) {
  const t = app.t();
  const state = app.store.get();
  const { isTable, width, em } = state.timeline;
  const cells = cellsFor(args);
  const geometry = geometryOf(args, viewOf(args, state), width, em);
  const onKeydown = (/** @type {KeyboardEvent} */ event) => onKey(event, app, args);
  return html`<section class="card tl" aria-labelledby="tl-title"
    @keydown=${args.isLive ? null : onKeydown}
    ${following(playhead(app, args, cells, geometry))}>
    <div class="row tl-tools">
      <h2 id="tl-title">${t.timeline_title}</h2>
      ${formView(isTable, app)}
      ${args.isLive ? '' : movesView(args, app)}
    </div>
    <div class="tl-now">
      ${args.isLive || !player.hasVideo ? '' : html`<canvas data-mirror width="0" height="0" aria-hidden="true"></canvas>`}
      <p data-now></p>
    </div>
    ${isTable ? tableView(args, app) : chartView(args, cells, geometry, app)}
  </section>`;
}

/**
 * @param {boolean} isTable
 * @param {App} app
 */
function formView(isTable, app) {
  const t = app.t();
  const button = (/** @type {boolean} */ wanted, /** @type {string} */ text) =>
    html`<button class="button" type="button" aria-pressed=${isTable === wanted}
      @click=${() => setTimeline(app, { isTable: wanted })}>${text}</button>`;
  return html`<div class="tl-form" role="group" aria-label=${t.timeline_form}>
    ${button(false, t.timeline_chart)}${button(true, t.timeline_table)}
  </div>`;
}

/**
 * @param {TimelineArgs} args
 * @param {App} app
 */
function movesView(args, app) {
  const t = app.t();
  const { loop, view } = app.store.get().timeline;
  const { frameTime } = args;
  return html`<div class="row tl-moves">
    ${player.hasVideo ? playView(app, 'button button-quiet') : ''}
    ${changeView(args, -1, app)}
    ${changeView(args, 1, app)}
    ${
      frameTime == null
        ? ''
        : html`<button class="button button-quiet" type="button" @click=${() => player.showFrame(frameTime)}>${t.timeline_frame}</button>`
    }
    <button class="button button-quiet" type="button" aria-pressed=${loop !== null}
      @click=${() => toggleLoop(app, args)}>${t.timeline_loop}</button>
    ${args.duration > LONG || view ? zoomView(args, app) : ''}
  </div>`;
}

/**
 * @param {TimelineArgs} args
 * @param {1 | -1} direction
 * @param {App} app
 */
function changeView(args, direction, app) {
  const t = app.t();
  const isNext = direction > 0;
  const more = isNext ? t.timeline_change_next : t.timeline_change_previous;
  return html`<button class="button button-quiet" type="button"
    @click=${() => seekChange(args, direction)}>
    ${isNext ? '' : html`<span aria-hidden="true">‹</span>`}
    <span>${t.timeline_change}<span class="unseen">${more}</span></span>
    ${isNext ? html`<span aria-hidden="true">›</span>` : ''}
  </button>`;
}

/**
 * @param {TimelineArgs} args
 * @param {App} app
 */
function zoomView(args, app) {
  const t = app.t();
  const { view } = app.store.get().timeline;
  return html`
    <button class="button button-quiet" type="button"
      @click=${() => zoom(app, args, 0.5)}>${t.timeline_closer}</button>
    <button class="button button-quiet" type="button" ?disabled=${view === null}
      @click=${() => zoom(app, args, 2)}>${t.timeline_farther}</button>
    <button class="button button-quiet" type="button" ?disabled=${view === null}
      @click=${() => setTimeline(app, { view: null })}>${t.timeline_whole}</button>`;
}
