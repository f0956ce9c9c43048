/** Paints on a canvas in the page's colours and type. */

import { slotOf } from '../../core/colours.js';
import { MARKS } from '../../core/marks.js';

/** Pixels of the canvas for one of what is painted, so that it is sharp in print. */
export const SCALE = 2;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} left
 * @param {number} right
 * @param {number} y
 * @param {string} ink
 * @param {number[]} dashes
 */
export function line(context, left, right, y, ink, dashes) {
  context.strokeStyle = colour(ink);
  context.setLineDash(dashes);
  context.beginPath();
  context.moveTo(left, y);
  context.lineTo(right, y);
  context.stroke();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} x
 * @param {number} y of the baseline
 * @param {{size?: number, weight?: number, ink?: string, align?: CanvasTextAlign}} style
 */
export function words(
  context,
  text,
  x,
  y,
  { size = 14, weight = 400, ink = 'var(--text)', align = 'left' },
) {
  context.font = font(size, weight);
  context.fillStyle = colour(ink);
  context.textAlign = align;
  context.fillText(text, x, y);
}

/**
 * @param {number} size
 * @param {number} [weight]
 */
export function font(size, weight = 400) {
  return `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
}

/**
 * Return the fill of a label: its colour, and its pattern over it.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {string} label
 */
export function fillFor(context, label) {
  const slot = slotOf(label);
  const ink = `var(--label-${slot.colour})`;
  const tile = document.createElement('canvas');
  tile.width = 8 * SCALE;
  tile.height = 8 * SCALE;
  const brush = /** @type {CanvasRenderingContext2D} */ (tile.getContext('2d'));
  brush.scale(SCALE, SCALE);
  brush.fillStyle = colour(`color-mix(in oklab, ${ink} 28%, var(--surface))`);
  brush.fillRect(0, 0, 8, 8);
  const mark = MARKS[slot.pattern];
  const path = new Path2D(mark?.d);
  if (mark?.isLine) {
    brush.strokeStyle = colour(ink);
    brush.lineWidth = 2;
    brush.stroke(path);
  } else {
    brush.fillStyle = colour(ink);
    brush.fill(path);
  }
  const pattern = /** @type {CanvasPattern} */ (context.createPattern(tile, 'repeat'));
  pattern.setTransform(new DOMMatrix().scale(1 / SCALE));
  return pattern;
}

/**
 * Return a colour of the style sheets as a canvas takes it, in the page's theme.
 *
 * @param {string} value
 */
export function colour(value) {
  const probe = document.createElement('span');
  probe.style.setProperty('color', value);
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/**
 * Break a text into lines: between words, and between Chinese characters.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} width
 */
export function wrapped(context, text, width) {
  const lines = [''];
  for (const piece of text.match(/[\u2e80-\uffef]|[^\s\u2e80-\uffef]+\s*|\s+/g) ?? []) {
    const longer = lines.at(-1) + piece;
    if (context.measureText(longer.trimEnd()).width > width && lines.at(-1) !== '') {
      lines.push(piece);
    } else {
      lines[lines.length - 1] = longer;
    }
  }
  return lines;
}
