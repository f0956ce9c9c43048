/** Writes numbers, times and text as exported files have them. */

/**
 * Round half to even: `toFixed` takes the larger of two equally near numbers, Python the even one.
 *
 * @param {number} value not negative
 * @param {number} digits
 */
export function fixed(value, digits) {
  const larger = value.toFixed(digits);
  const isOdd = Number(larger.at(-1)) % 2 === 1;
  return isOdd && isTie(value, digits) ? (value - 10 ** -digits / 2).toFixed(digits) : larger;
}

/**
 * @param {number} value
 * @param {number} digits
 */
function isTie(value, digits) {
  const decimals = value.toFixed(100).split('.')[1] ?? '';
  return /^50*$/.test(decimals.slice(digits));
}

/**
 * Return hours, minutes, seconds and milliseconds.
 *
 * @param {number} seconds
 * @param {'.' | ','} point what stands before the milliseconds
 */
export function clock(seconds, point) {
  const all = Math.round(seconds * 1000);
  const [ms, s, m] = [all % 1000, Math.floor(all / 1000) % 60, Math.floor(all / 60_000) % 60];
  const h = Math.floor(all / 3_600_000);
  return `${pad(h, 2)}:${pad(m, 2)}:${pad(s, 2)}${point}${pad(ms, 3)}`;
}

/**
 * @param {number} number
 * @param {number} digits
 */
function pad(number, digits) {
  return String(number).padStart(digits, '0');
}

/**
 * Return a text without line breaks, and with single spaces only.
 *
 * @param {string} text
 */
export function oneLine(text) {
  return text.replace(/\s+/g, ' ').trim();
}
