/** Moves the playhead of a chart, and tells what is at its place. */

import { percent } from '../core/numbers.js';
import { secondsText } from '../core/time.js';
import { player } from '../media/player.js';
import { setTimeline } from './actions.js';
import { shortLabel } from './chart.js';
import { cellAt } from './layout.js';
import { turned } from './moves.js';

/** @import { App, Strings, TimelineArgs } from '../types.d.ts' */
/** @import { Geometry } from './geometry.js' */
/** @import { Cell } from './layout.js' */

const calm = globalThis.matchMedia?.('(prefers-reduced-motion: reduce)');

/**
 * Return what paints the position into a timeline.
 *
 * @param {App} app
 * @param {TimelineArgs} args
 * @param {Cell[]} cells
 * @param {Geometry} geometry
 * @returns {(root: Element) => void}
 */
export function playhead(app, args, cells, geometry) {
  const t = app.t();
  let shown = Number.NaN;
  let last = player.time;
  return (root) => {
    const time = args.isLive ? args.duration : Math.min(player.time, args.duration);
    const index = args.isLive ? cells.length - 1 : cellAt(cells, time);
    const cell = cells[index];
    if (player.time !== last) {
      keepInView(app, args, geometry, time);
      last = player.time;
    }
    placeRange(root, geometry);
    if (!args.isLive) {
      moveLine(root, geometry, player.isPlaying && calm?.matches && cell ? middleOf(cell) : time);
    }
    const range = root.querySelector('input[data-range]');
    if (range instanceof HTMLInputElement) {
      range.value = String(time);
      if (index !== shown || !player.isPlaying) {
        range.setAttribute('aria-valuetext', valueText(t, args, cells, index, time));
      }
    }
    if (index !== shown) {
      shown = index;
      tellShares(root, t, geometry, cell);
    }
    markRows(root, args, cell, time);
    const mirror = root.querySelector('canvas[data-mirror]');
    if (mirror instanceof HTMLCanvasElement) {
      player.paint(mirror);
    }
  };
}

/** @param {Cell} cell */
function middleOf({ from, to }) {
  return (from + to) / 2;
}

/**
 * The range lies exactly over what is drawn, so that a click finds its time.
 *
 * @param {Element} root
 * @param {Geometry} geometry
 */
function placeRange(root, { left, right }) {
  if (root instanceof HTMLElement) {
    root.style.setProperty('--tl-left', `${left}px`);
    root.style.setProperty('--tl-width', `${right - left}px`);
  }
}

/**
 * @param {Element} root
 * @param {Geometry} geometry
 * @param {number} time
 */
function moveLine(root, { view, x }, time) {
  const isSeen = time >= view.from && time <= view.to;
  root.querySelector('[data-head]')?.setAttribute('visibility', isSeen ? 'visible' : 'hidden');
  root.querySelector('[data-line]')?.setAttribute('transform', `translate(${x(time)} 0)`);
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
  if (timeline.view && (time < view.from || time > view.to) && time <= duration) {
    setTimeline(app, { view: turned(view, time, duration) });
  }
}

/**
 * Tell the shares at the position, and the true extent of its window.
 *
 * @param {Element} root
 * @param {Strings} t
 * @param {Geometry} geometry
 * @param {Cell | undefined} cell
 */
function tellShares(root, t, { lanes, x, left, right }, cell) {
  for (const [index, lane] of lanes.entries()) {
    const text = root.querySelector(`[data-lane="${index}"]`);
    if (text) {
      text.textContent = cell ? shortPercent(t, lane.share(cell.window)) : '';
    }
  }
  const now = root.querySelector('[data-now]');
  if (now) {
    now.textContent = cell ? nowText(t, cell) : t.timeline_no_window;
  }
  const band = root.querySelector('[data-window]');
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
  return whole <= 0 ? '<1 %' : whole >= 100 ? '>99 %' : percent(t, share);
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
 * Mark the rows of all windows at the position; the one that the chart draws there is current.
 *
 * @param {Element} root
 * @param {TimelineArgs} args
 * @param {Cell | undefined} cell
 * @param {number} time
 */
function markRows(root, { windows, isLive }, cell, time) {
  for (const [index, row] of root.querySelectorAll('tr[data-row]').entries()) {
    const window = windows[index];
    const isAt = !isLive && window && window.start <= time && time < window.end;
    row.classList.toggle('tl-at', Boolean(isAt));
    row.ariaCurrent = cell && window === cell.window ? 'true' : null;
  }
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
