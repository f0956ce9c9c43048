/** Times as people read them; everywhere else they are seconds. */

/** @import { Strings } from '../types.d.ts' */

/**
 * Seconds in a sentence: "4.5 s".
 *
 * @param {Strings} t
 * @param {number} seconds
 * @param {number} [digits] - Behind the point, at most.
 */
export function secondsText(t, seconds, digits = 1) {
  return t.time_seconds({ s: String(Number(seconds.toFixed(digits))) });
}

/**
 * A place in a clip as on a player: "0:01.2", "1:02:03.4".
 *
 * @param {number} seconds
 */
export function clock(seconds) {
  const tenths = Math.max(0, Math.round(seconds * 10));
  const s = Math.floor(tenths / 10);
  const ended = `${twoDigits(s % 60)}.${tenths % 10}`;
  const minutes = Math.floor(s / 60) % 60;
  const hours = Math.floor(s / 3600);
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${ended}` : `${minutes}:${ended}`;
}

/** @param {number} number */
function twoDigits(number) {
  return String(number).padStart(2, '0');
}
