/** The fills of labels: 9 colours by 8 patterns, defined once for all charts of the page. */

import { COLOURS, PATTERNS, slotOf } from '../../core/colours.js';
import { MARKS } from '../../core/marks.js';
import { html, svg } from '../../vendor/lit-html/lit-html.js';

/** All fills, to stand once in the page. */
export function patternsView() {
  const colours = Array.from({ length: COLOURS + 1 }, (_, colour) => colour);
  const patterns = Array.from({ length: PATTERNS }, (_, pattern) => pattern);
  return html`<svg class="fills" aria-hidden="true" focusable="false">
    <defs>${colours.map((colour) => patterns.map((pattern) => fill(colour, pattern)))}</defs>
  </svg>`;
}

/** @param {number} colour @param {number} pattern */
function fill(colour, pattern) {
  const mark = MARKS[pattern];
  return svg`<pattern id="fill-${colour}-${pattern}" class="paint-${colour}" width="8" height="8"
    patternUnits="userSpaceOnUse">
    <rect class="ground" width="8" height="8" /><path class=${mark?.isLine ? 'mark mark-line' : 'mark'} d=${mark?.d} />
  </pattern>`;
}

/**
 * The value of `fill` for a label.
 *
 * @param {string} label
 */
export function fillOf(label) {
  const { colour, pattern } = slotOf(label);
  return `url(#fill-${colour}-${pattern})`;
}

/**
 * A small square in a label's colour and pattern.
 *
 * @param {string} label
 */
export function swatch(label) {
  return html`<svg class="swatch" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    <rect width="16" height="16" rx="4" fill=${fillOf(label)} />
  </svg>`;
}
