/** Moves the playhead of a chart, and tells what is at its place. */

import { shortLabel } from '../core/labels.js';
import { percent } from '../core/numbers.js';
import { secondsText } from '../core/time.js';
import { player } from '../media/player.js';
import { setTimeline } from './actions.js';
import { write } from './follow.js';
import { cellAt } from './layout.js';
import { turned } from './moves.js';
import { rowMarker } from './rows.js';

/** @import { App, Strings, TimelineArgs } from '../types.d.ts' */
/** @import { Geometry } from './draw/geometry.js' */
/** @import { Cell } from './layout.js' */

const calm = globalThis.matchMedia?.('(prefers-reduced-motion: reduce)');

/**
 * Return what paints the position into a timeline as it has just been rendered.
 *
 * @param {App} app
 * @param {TimelineArgs} args
 * @param {Cell[]} cells
 * @param {Geometry} geometry
 * @returns {(root: Element) => void}
 */
export function playhead(app, args, cells, geometry) {
  const t = app.t();
  /** @type {Parts | undefined} */
  let parts;
  let shown = Number.NaN;
  let last = player.time;
  return (root) => {
    parts ??= partsOf(root, args, geometry);
    const time = args.isLive ? args.duration : Math.min(player.time, args.duration);
    const index = args.isLive ? cells.length - 1 : cellAt(cells, time);
    const cell = cells[index];
    if (player.time !== last) {
      last = player.time;
      keepInView(app, args, geometry, time);
    }
    if (index !== shown || !player.isPlaying) {
      parts.range?.setAttribute('aria-valuetext', valueText(t, args, cells, index, time));
    }
    if (index !== shown) {
      shown = index;
      tellShares(parts, t, geometry, cell);
    }
    if (!args.isLive) {
      move(parts, geometry, player.isPlaying && calm?.matches && cell ? middleOf(cell) : time);
      parts.markRows(cell, time);
    }
  };
}

/**
 * What changes with the position.
 *
 * @typedef {object} Parts
 * @property {Element | null} now
 * @property {HTMLCanvasElement | null} mirror
 * @property {HTMLInputElement | null} range
 * @property {Element | null} head
 * @property {Element | null} line
 * @property {Element | null} band
 * @property {Element[]} shares
 * @property {(cell: Cell | undefined, time: number) => void} markRows
 */

/**
 * @param {Element} root
 * @param {TimelineArgs} args
 * @param {Geometry} geometry
 * @returns {Parts}
 */
function partsOf(root, { windows }, geometry) {
  placeRange(/** @type {HTMLElement} */ (root), geometry);
  const above = root.querySelector('.tl-now');
  const chart = root.querySelector('.tl-chart');
  return {
    now: above?.querySelector('[data-now]') ?? null,
    mirror: above?.querySelector('canvas') ?? null,
    range: chart?.querySelector('input') ?? null,
    head: chart?.querySelector('[data-head]') ?? null,
    line: chart?.querySelector('[data-line]') ?? null,
    band: chart?.querySelector('[data-window]') ?? null,
    shares: Array.from(chart?.querySelectorAll('[data-lane]') ?? []),
    markRows: rowMarker(root.querySelector('tbody'), windows),
  };
}

/**
 * The range lies exactly over what is drawn, so that a click finds its time.
 *
 * @param {HTMLElement} root
 * @param {Geometry} geometry
 */
function placeRange({ style }, { left, right }) {
  const place = { '--tl-left': `${left}px`, '--tl-width': `${right - left}px` };
  for (const [name, value] of Object.entries(place)) {
    // To set it again would have the browser look at all that is drawn.
    if (style.getPropertyValue(name) !== value) {
      style.setProperty(name, value);
    }
  }
}

/** @param {Cell} cell */
function middleOf({ from, to }) {
  return (from + to) / 2;
}

/**
 * @param {Parts} parts
 * @param {Geometry} geometry
 * @param {number} time
 */
function move({ head, line, mirror, range }, { view, x }, time) {
  const isSeen = time >= view.from && time <= view.to;
  head?.setAttribute('visibility', isSeen ? 'visible' : 'hidden');
  line?.setAttribute('transform', `translate(${x(time)} 0)`);
  if (range) {
    range.value = String(time);
  }
  if (mirror) {
    player.paint(mirror);
  }
}

/**
 * Turn the page of a long clip when the position leaves it.
 *
 * @param {App} app
 * @param {TimelineArgs} args
 * @param {Geometry} geometry
 * @param {number} time
 */
function keepInView(app, { duration }, { view }, time) {
  const { timeline } = app.store.get();
  if (timeline.view && (time < view.from || time > view.to)) {
    setTimeline(app, { view: turned(view, time, duration) });
  }
}

/**
 * Tell the shares at the position, and the true extent of its window.
 *
 * @param {Parts} parts
 * @param {Strings} t
 * @param {Geometry} geometry
 * @param {Cell | undefined} cell
 */
function tellShares({ now, shares, band }, t, { lanes, x, left, right }, cell) {
  for (const [index, lane] of lanes.entries()) {
    const text = cell ? shortPercent(t, lane.share(cell.window)) : '';
    write(shares[index], text);
  }
  write(now, cell ? nowText(t, cell) : t.timeline_no_window);
  const from = cell ? Math.max(x(cell.window.start), left) : left;
  const to = cell ? Math.min(x(cell.window.end), right) : left;
  band?.setAttribute('x', String(from));
  band?.setAttribute('width', String(Math.max(to - from, 0)));
}

/**
 * A share as it has room beside a lane.
 *
 * @param {Strings} t
 * @param {number} share
 */
function shortPercent(t, share) {
  const whole = Math.round(share * 100);
  if (whole <= 0) {
    return `<${t.number_percent({ whole: 1 })}`;
  }
  return whole >= 100 ? `>${t.number_percent({ whole: 99 })}` : percent(t, share);
}

/**
 * @param {Strings} t
 * @param {Cell} cell
 */
function nowText(t, { window }) {
  return t.timeline_now({
    span: t.timeline_span({ from: window.start.toFixed(1), to: window.end.toFixed(1) }),
    label: shortLabel(t, window.emotion),
    share: percent(t, window.confidence),
  });
}

/**
 * Say the position in words.
 *
 * @param {Strings} t
 * @param {TimelineArgs} args
 * @param {Cell[]} cells
 * @param {number} index
 * @param {number} time
 */
function valueText(t, args, cells, index, time) {
  const place = { time: secondsText(t, time), duration: secondsText(t, args.duration) };
  const window = cells[index]?.window;
  return window
    ? t.timeline_at({
        ...place,
        number: index + 1,
        count: cells.length,
        label: shortLabel(t, window.emotion),
        share: percent(t, window.confidence),
      })
    : t.timeline_at_gap(place);
}
