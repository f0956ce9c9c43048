/** Marks the rows of the windows at the position. */

/** @import { TimelineWindow } from '../types.d.ts' */
/** @import { Cell } from './layout.js' */

/**
 * Return what marks the rows of all windows at a time; the one that the chart draws there is
 * current.
 *
 * @param {HTMLTableSectionElement | null} body
 * @param {readonly TimelineWindow[]} windows in the order of the rows
 * @returns {(cell: Cell | undefined, time: number) => void}
 */
export function rowMarker(body, windows) {
  let marked = '';
  return (cell, time) => {
    const [first, end] = rowsAt(windows, time);
    const current = cell ? windows.indexOf(cell.window) : -1;
    const wanted = `${first} ${end} ${current}`;
    if (body && wanted !== marked) {
      marked = wanted;
      mark(body, first, end, current);
    }
  };
}

/**
 * Return the first row of the windows at a time, and the one behind the last.
 *
 * @param {readonly TimelineWindow[]} windows sorted by `start` and by `end`
 * @param {number} time
 * @returns {[first: number, end: number]}
 */
function rowsAt(windows, time) {
  const first = windows.findIndex((window) => window.end > time);
  const after = windows.findIndex((window) => window.start > time);
  return first < 0 ? [0, 0] : [first, after < 0 ? windows.length : after];
}

/**
 * @param {HTMLTableSectionElement} body
 * @param {number} first
 * @param {number} end
 * @param {number} current
 */
function mark(body, first, end, current) {
  for (const row of body.querySelectorAll('.tl-at, [aria-current]')) {
    row.classList.remove('tl-at');
    row.ariaCurrent = null;
  }
  for (let index = first; index < end; index += 1) {
    body.rows[index]?.classList.add('tl-at');
  }
  const row = body.rows[current];
  if (row) {
    row.ariaCurrent = 'true';
  }
}
