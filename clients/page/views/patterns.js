/** The fills of labels: 9 colours by 8 patterns, defined once for all charts of the page. */

import { COLOURS, PATTERNS, slotOf } from '../core/colours.js';
import { html, svg } from '../vendor/lit-html/lit-html.js';

/** @type {(import('../vendor/lit-html/lit-html.js').TemplateResult<2>)[]} What is drawn on 8 by 8. */
const MARKS = [
  svg`<rect width="8" height="8" />`,
  svg`<path d="M-2 2 2-2M0 8 8 0M6 10 10 6" />`,
  svg`<path d="M6-2 10 2M0 0 8 8M-2 6 2 10" />`,
  svg`<path d="M0 2H8M0 6H8" />`,
  svg`<path d="M2 0V8M6 0V8" />`,
  svg`<path d="M0 4H8M4 0V8" />`,
  svg`<circle cx="2" cy="2" r="1.5" /><circle cx="6" cy="6" r="1.5" />`,
  svg`<rect width="4" height="4" /><rect x="4" y="4" width="4" height="4" />`,
];

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
  return svg`<pattern id="fill-${colour}-${pattern}" class="paint-${colour}" width="8" height="8"
    patternUnits="userSpaceOnUse">
    <rect class="ground" width="8" height="8" /><g class="marks">${MARKS[pattern]}</g>
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
