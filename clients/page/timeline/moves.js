/** Where the keys and buttons of a timeline lead. Pure. */

import { cellAt, runsOf } from './layout.js';

/** @import { Span } from '../types.d.ts' */
/** @import { Cell } from './layout.js' */

/** Seconds that make no difference. */
const SAME = 0.01;

/** The shortest part that can be seen as a whole, in seconds. */
const CLOSEST = 1;

/**
 * Return the middle of the cell that is `count` cells away.
 *
 * @param {readonly Cell[]} cells
 * @param {number} time
 * @param {number} count negative for earlier ones
 */
export function stepped(cells, time, count) {
  const index = nearest(cells, time) + count;
  const cell = cells[Math.min(Math.max(index, 0), cells.length - 1)];
  return cell ? (cell.from + cell.to) / 2 : time;
}

/**
 * Return the index of the cell at a time, or of the one before it in a gap.
 *
 * @param {readonly Cell[]} cells
 * @param {number} time
 */
export function nearest(cells, time) {
  const index = cellAt(cells, time);
  return index >= 0 ? index : cells.findLastIndex((cell) => cell.from <= time);
}

/**
 * Return where the next or the previous stretch with another label begins; null if there is none.
 *
 * @param {readonly Cell[]} cells
 * @param {number} time
 * @param {1 | -1} direction
 */
export function change(cells, time, direction) {
  const starts = runsOf(cells).map((run) => run.from);
  const found =
    direction > 0
      ? starts.find((start) => start > time + SAME)
      : starts.findLast((start) => start < time - SAME);
  return found ?? null;
}

/**
 * Return a part of the clip that is `factor` times as long and keeps a time in its place; null for
 * the whole.
 *
 * @param {Span} view
 * @param {number} factor below 1 to look closer
 * @param {number} time
 * @param {number} duration
 * @returns {Span | null}
 */
export function zoomed(view, factor, time, duration) {
  const length = Math.max((view.to - view.from) * factor, Math.min(CLOSEST, duration));
  if (length >= duration) {
    return null;
  }
  const middle = time >= view.from && time <= view.to ? time : (view.from + view.to) / 2;
  const share = (middle - view.from) / (view.to - view.from);
  return placed(middle - share * length, length, duration);
}

/**
 * Return a part of the clip that is as long as the visible one and shows a time near its start.
 *
 * @param {Span} view
 * @param {number} time
 * @param {number} duration
 */
export function turned(view, time, duration) {
  const length = view.to - view.from;
  return placed(time - length / 10, length, duration);
}

/**
 * @param {number} from
 * @param {number} length
 * @param {number} duration
 * @returns {Span}
 */
export function placed(from, length, duration) {
  const start = Math.min(Math.max(from, 0), duration - length);
  return { from: start, to: start + length };
}
