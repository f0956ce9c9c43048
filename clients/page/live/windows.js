/** The gaps of a live timeline, and its latest part. */

/** @import { Gap, GapReason } from './types.d.ts' */

/** Stretches this close (in seconds) touch. */
const TOUCH = 0.3;

/**
 * Return gaps with one more, sorted by start; one that touches another of its reason prolongs it.
 *
 * @param {readonly Gap[]} gaps
 * @param {Gap} added
 * @returns {Gap[]}
 */
export function withGap(gaps, added) {
  if (added.end <= added.start) {
    return [...gaps];
  }
  const sorted = [...gaps, added].toSorted((a, b) => a.start - b.start);
  /** @type {Gap[]} */
  const merged = [];
  for (const gap of sorted) {
    const last = merged.at(-1);
    if (last?.reason === gap.reason && gap.start <= last.end + TOUCH) {
      merged.splice(-1, 1, { ...last, end: Math.max(last.end, gap.end) });
    } else {
      merged.push(gap);
    }
  }
  return merged;
}

/**
 * Return the stretches of a list that lie in the last `span` seconds, or all if that is 0.
 *
 * @template {{end: number}} Stretch
 * @param {readonly Stretch[]} stretches
 * @param {number} now
 * @param {number} span
 */
export function latest(stretches, now, span) {
  return span === 0 ? [...stretches] : stretches.filter(({ end }) => end > now - span);
}

/**
 * Return for how many seconds gaps of a reason last.
 *
 * @param {readonly Gap[]} gaps
 * @param {GapReason[]} reasons
 */
export function lengthOf(gaps, ...reasons) {
  return gaps
    .filter(({ reason }) => reasons.includes(reason))
    .reduce((sum, { start, end }) => sum + end - start, 0);
}

/**
 * Return the whole seconds until a time, at least 1.
 *
 * @param {number | null} time - In milliseconds since 1970.
 */
export function secondsLeft(time) {
  return Math.max(1, Math.round(((time ?? 0) - Date.now()) / 1000));
}
