/** The eight patterns, as paths on a square of 8 by 8 that repeats. */

/** @typedef {{d: string, isLine: boolean}} Mark Lines are drawn, other shapes are filled. */

/** @type {Mark[]} */
export const MARKS = [
  { d: 'M0 0H8V8H0Z', isLine: false },
  { d: 'M-2 2 2-2M0 8 8 0M6 10 10 6', isLine: true },
  { d: 'M6-2 10 2M0 0 8 8M-2 6 2 10', isLine: true },
  { d: 'M0 2H8M0 6H8', isLine: true },
  { d: 'M2 0V8M6 0V8', isLine: true },
  { d: 'M0 4H8M4 0V8', isLine: true },
  { d: `${dot(2)}${dot(6)}`, isLine: false },
  { d: 'M0 0H4V4H0ZM4 4H8V8H4Z', isLine: false },
];

/** @param {number} middle */
function dot(middle) {
  return `M${middle - 1.5} ${middle}a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0Z`;
}
