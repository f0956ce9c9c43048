/** The chart of a timeline, with the range over it that seeks, and what explains it. */

import { slotOf } from '../../core/colours.js';
import { player } from '../../media/player.js';
import { setTimeline, zoom } from '../../timeline/actions.js';
import { chartMarks, headMarks } from '../../timeline/draw/chart.js';
import { runsOf } from '../../timeline/layout.js';
import { placed } from '../../timeline/moves.js';
import { sizeRef } from '../../timeline/size.js';
import { legend, summary } from '../../timeline/words.js';
import { ref } from '../../vendor/lit-html/directives/ref.js';
import { html, svg } from '../../vendor/lit-html/lit-html.js';

/** @import { App, Strings, TimelineArgs } from '../../types.d.ts' */
/** @import { Geometry } from '../../timeline/draw/geometry.js' */
/** @import { Cell } from '../../timeline/layout.js' */

/**
 * @param {TimelineArgs} args
 * @param {Cell[]} cells
 * @param {Geometry} geometry
 * @param {App} app
 */
export function chartView(args, cells, geometry, app) {
  const t = app.t();
  const { width, height } = geometry;
  return html`
    <div class="tl-chart" ${ref(sizeRef(app))}>
      <svg height=${height} role="img" aria-label=${summary(t, args, cells)}>
        ${width > 0 ? drawn(args, cells, geometry, t) : ''}
      </svg>
      ${args.isLive ? '' : rangeView(args, geometry, app)}
      <svg class="tl-over" height=${height} aria-hidden="true">
        ${width > 0 ? headMarks(geometry) : ''}
      </svg>
    </div>
    ${app.store.get().timeline.view && !args.view ? overviewView(args, cells, geometry, app) : ''}
    <p class="soft tl-legend">${legend(t, args).map((text) => html`<span>${text}</span>`)}</p>`;
}

/** The last drawing, which often stays the same. */
let last = { key: '', cells: /** @type {Cell[]} */ ([]), marks: svg`` };

/**
 * @param {TimelineArgs} args
 * @param {Cell[]} cells
 * @param {Geometry} geometry
 * @param {Strings} t
 */
function drawn(args, cells, geometry, t) {
  const { em, view, width } = geometry;
  const key = JSON.stringify([em, width, view, t.tag, args.frameTime, args.gaps]);
  if (last.key !== key || last.cells !== cells) {
    last = { key, cells, marks: chartMarks(args, cells, geometry, t) };
  }
  return last.marks;
}

/**
 * @param {TimelineArgs} args
 * @param {Geometry} geometry
 * @param {App} app
 */
function rangeView(args, { view }, app) {
  const seek = (/** @type {InputEvent} */ { target }) =>
    player.seek(Number(/** @type {HTMLInputElement} */ (target).value));
  return html`<input type="range" class="tl-range" data-range step="any"
    min=${view.from} max=${view.to} aria-label=${app.t().timeline_position}
    @input=${seek} @wheel=${(/** @type {WheelEvent} */ event) => onWheel(event, args, view, app)}>`;
}

/**
 * Look closer at what is under the pointer, as maps do it.
 *
 * @param {WheelEvent} event
 * @param {TimelineArgs} args
 * @param {import('../../types.d.ts').Span} view
 * @param {App} app
 */
function onWheel(event, args, view, app) {
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    const { left, width } = /** @type {Element} */ (event.target).getBoundingClientRect();
    const share = (event.clientX - left) / width;
    const time = view.from + share * (view.to - view.from);
    zoom(app, args, event.deltaY < 0 ? 0.8 : 1.25, time);
  }
}

/**
 * The whole clip, small, while only a part of it is drawn large; it moves that part.
 *
 * @param {TimelineArgs} args
 * @param {Cell[]} cells
 * @param {Geometry} geometry
 * @param {App} app
 */
function overviewView({ duration }, cells, { view }, app) {
  const length = view.to - view.from;
  const share = (/** @type {number} */ seconds) => `${(100 * seconds) / duration}%`;
  const move = (/** @type {InputEvent} */ { target }) => {
    const middle = Number(/** @type {HTMLInputElement} */ (target).value);
    setTimeline(app, { view: placed(middle - length / 2, length, duration) });
  };
  return html`<div class="tl-overview">
    <svg height="12" aria-hidden="true">
      ${runsOf(cells).map(
        ({
          from,
          to,
          label,
        }) => svg`<rect class="tl-run paint-${slotOf(label).colour}" x=${share(from)}
          width=${share(to - from)} height="12" />`,
      )}
      <rect class="tl-seen" x=${share(view.from)} width=${share(length)} y="1" height="10" />
    </svg>
    <input type="range" class="tl-range" step="any" min="0" max=${duration}
      .value=${String((view.from + view.to) / 2)} aria-label=${app.t().timeline_part} @input=${move}>
  </div>`;
}
