/** Colours: every label has one colour and pattern, the same in every view, clip and session. */

import { meaningOf } from './labels.js';

/** @typedef {{colour: number, pattern: number}} Slot Both from 0 to 7; colour 8 is neutral's. */

const NAME = 'emotion-llama.colours';
export const COLOURS = 8;
export const PATTERNS = 8;
const DOTS = 6;

/** @type {Record<string, [colour: number, pattern: number]>} The words with places of their own. */
const FIXED = {
  happy: [0, 0],
  sad: [1, 0],
  angry: [2, 0],
  worried: [3, 0],
  fear: [3, 1],
  surprise: [4, 0],
  disgust: [5, 0],
  contempt: [6, 0],
  doubt: [7, 0],
  neutral: [8, DOTS],
};

/** The rest, in the order in which they are given out: solid ones first. */
const FREE = Array.from({ length: COLOURS * PATTERNS }, (_, index) => ({
  colour: (index + 5) % COLOURS,
  pattern: Math.floor(index / COLOURS),
})).filter(({ colour, pattern }) => !isFixed(colour, pattern));

/** @type {Map<string, Slot> | null} Those that were given out on this device. */
let given = null;

/**
 * The colour and pattern of a label.
 *
 * @param {string} label
 * @returns {Slot}
 */
export function slotOf(label) {
  const name = label.trim().toLowerCase();
  const fixed = FIXED[meaningOf(name)];
  if (fixed) {
    return { colour: fixed[0], pattern: fixed[1] };
  }
  given ??= load();
  const known = given.get(name);
  if (known) {
    return known;
  }
  const slot = nextFree(given);
  given.set(name, slot);
  save(given);
  return slot;
}

/** Give all but the fixed places out anew. */
export function resetColours() {
  given = new Map();
  save(given);
}

/**
 * The first place that nobody has; beyond the last one they are given out again.
 *
 * @param {Map<string, Slot>} taken
 * @returns {Slot}
 */
function nextFree(taken) {
  const used = new Set(Array.from(taken.values(), keyOf));
  const free = FREE.find((slot) => !used.has(keyOf(slot)));
  return free ?? /** @type {Slot} */ (FREE[taken.size % FREE.length]);
}

/** @param {Slot} slot */
function keyOf({ colour, pattern }) {
  return `${colour}-${pattern}`;
}

/** @param {number} colour @param {number} pattern */
function isFixed(colour, pattern) {
  return Object.values(FIXED).some((slot) => slot[0] === colour && slot[1] === pattern);
}

/** @returns {Map<string, Slot>} */
function load() {
  try {
    return new Map(Object.entries(JSON.parse(localStorage.getItem(NAME) ?? '{}')));
  } catch {
    return new Map();
  }
}

/** @param {Map<string, Slot>} slots */
function save(slots) {
  try {
    localStorage.setItem(NAME, JSON.stringify(Object.fromEntries(slots)));
  } catch {
    // They hold as long as the page.
  }
}
