/** Turns times into pixels, and finds what has room there. Pure. */

/** @import { Span } from '../../types.d.ts' */

/**
 * Return what turns a time into pixels from the left of the drawn part.
 *
 * @param {Span} view the visible part
 * @param {number} width in pixels
 * @returns {(time: number) => number}
 */
export function scaleOf(view, width) {
  const span = view.to - view.from || 1;
  return (time) => ((time - view.from) / span) * width;
}

/**
 * Return what is visible of spans, cut at the edges.
 *
 * @template {Span} T
 * @param {readonly T[]} spans
 * @param {Span} view
 * @returns {T[]}
 */
export function within(spans, view) {
  const seen = spans.filter(({ from, to }) => to > view.from && from < view.to);
  return seen.map((span) => ({
    ...span,
    from: Math.max(span.from, view.from),
    to: Math.min(span.to, view.to),
  }));
}

/** Seconds between ticks that people can count in. */
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

/**
 * Return the times of ticks that stand apart.
 *
 * @param {Span} view
 * @param {number} width in pixels
 * @param {number} [apart] pixels between ticks at least
 */
export function ticksOf(view, width, apart = 56) {
  const span = view.to - view.from;
  if (span <= 0 || width <= 0) {
    return [];
  }
  const step = STEPS.find((seconds) => (seconds / span) * width >= apart) ?? 3600;
  const first = Math.ceil(view.from / step - 1e-6);
  const count = Math.floor(view.to / step + 1e-6) - first + 1;
  return Array.from({ length: count }, (_, index) => Number(((first + index) * step).toFixed(3)));
}

/** Pixels of a character at 13 px: Chinese ones are square. */
const WIDE = 13;
const NARROW = 7;

/**
 * Return a word as far as it fits, cut with "…"; nothing if too little of it would be left.
 *
 * @param {string} word
 * @param {number} width in pixels
 */
export function fitted(word, width) {
  const characters = Array.from(word);
  let used = 0;
  for (const [index, character] of characters.entries()) {
    used += character > '\u2e7f' ? WIDE : NARROW;
    if (used > width) {
      return index > 2 ? `${characters.slice(0, index - 1).join('')}…` : '';
    }
  }
  return word;
}

/** @param {number} time */
export function tickText(time) {
  if (time < 60) {
    return String(time);
  }
  const [minutes, seconds] = [Math.floor(time / 60), time % 60];
  return `${minutes}:${seconds < 10 ? '0' : ''}${Number(seconds.toFixed(1))}`;
}
