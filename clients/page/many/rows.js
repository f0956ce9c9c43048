/** What a table of many clips says: counts, the time left, its order. */

import { ranked } from '../core/numbers.js';

/** @import { Column, ManyState, Row } from './types.d.ts' */

/** How many rows are shown at once. */
export const ROWS_SHOWN = 100;

const names = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** Rows that need a look come first. */
const STATES = ['failed', 'sending', 'reading', 'waiting', 'done'];

/** @type {Record<Column, (row: Row) => string | number | null>} */
const VALUES = {
  name: ({ name }) => name,
  state: ({ state }) => STATES.indexOf(state),
  label: ({ answer }) => answer?.emotion ?? null,
  share: ({ answer }) => answer?.confidence ?? null,
  second: ({ answer }) => (answer && ranked(answer.probabilities)[1]?.[0]) ?? null,
  frame: ({ answer }) => answer?.evidence.frame_time ?? null,
  sound: ({ answer }) => answer?.evidence.audio_seconds ?? null,
  note: (row) => noteOf(row) || null,
};

/**
 * Return what the server says beside the numbers, in its own words.
 *
 * @param {Row} row
 */
export function noteOf({ answer, failure }) {
  return failure?.message ?? answer?.warnings?.map(({ message }) => message).join(' ') ?? '';
}

/**
 * @param {readonly Row[]} rows
 * @param {ManyState['sort']} sort
 * @returns {Row[]}
 */
export function sorted(rows, sort) {
  if (!sort) {
    return [...rows];
  }
  const valueIn = VALUES[sort.by];
  const sign = sort.isDescending ? -1 : 1;
  return rows.toSorted((a, b) => compare(valueIn(a), valueIn(b), sign));
}

/** @param {readonly Row[]} rows */
export function countsOf(rows) {
  const is = (/** @type {Row['state'][]} */ ...states) =>
    rows.filter(({ state }) => states.includes(state)).length;
  const counts = { done: is('done'), failed: is('failed'), running: is('sending', 'reading') };
  return { ...counts, all: rows.length, ended: counts.done + counts.failed };
}

/**
 * Return the seconds that the rest will take if it takes as long as what is done, or null.
 *
 * @param {readonly Row[]} rows
 * @param {number} atOnce
 */
export function timeLeft(rows, atOnce) {
  const taken = rows.filter(({ state }) => state === 'done').map(({ seconds }) => seconds);
  const left = rows.length - countsOf(rows).ended;
  if (taken.length === 0 || left === 0) {
    return null;
  }
  const mean = taken.reduce((sum, seconds) => sum + seconds, 0) / taken.length;
  return (left * mean) / Math.min(atOnce, left);
}

/**
 * Compare values; rows without one are last in either direction.
 *
 * @param {string | number | null} a
 * @param {string | number | null} b
 * @param {number} sign
 */
function compare(a, b, sign) {
  if (a === null || b === null) {
    return Number(a === null) - Number(b === null);
  }
  const order =
    typeof a === 'number' && typeof b === 'number' ? a - b : names.compare(String(a), String(b));
  return order * sign;
}
