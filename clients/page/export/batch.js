/** Writes the answers about many clips, in the forms that `emotion-llama analyze --out` has. */

import { csvText } from './csv.js';
import { oneLine } from './text.js';

/** @typedef {import('../types.d.ts').Analysed} Analysed */

const HEAD = /** @type {const} */ ([
  'emotion',
  'confidence',
  'answer',
  'answer_matches',
  'explanation',
]);

/**
 * Return a line of JSON for each clip: the answer, or an error in its place.
 *
 * @param {readonly Analysed[]} clips
 */
export function asJsonLines(clips) {
  const lines = clips.map(({ name, response, error }) =>
    JSON.stringify({
      video: name,
      ...(response ?? { emotion: null, confidence: null }),
      error: error ?? null,
    }).replace(/[\u0085\u2028\u2029]/g, escaped),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/**
 * Return a row for each clip; the probability of `happy` stands under `p(happy)`.
 *
 * @param {readonly Analysed[]} clips
 */
export function batchCsv(clips) {
  const labels = new Set(clips.flatMap((clip) => Object.keys(clip.response?.probabilities ?? {})));
  const rows = clips.map(({ name, response, error }) => [
    name,
    ...HEAD.map((field) => flat(response?.[field])),
    ...Array.from(labels, (label) => flat(response?.probabilities[label])),
    flat(response?.warnings?.map((warning) => warning.message).join(' ')),
    flat(error),
  ]);
  const shares = Array.from(labels, (label) => `p(${oneLine(label)})`);
  return csvText([['video', ...HEAD, ...shares, 'warnings', 'error'], ...rows]);
}

/** @param {unknown} value */
function flat(value) {
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False'; // as Python writes them
  }
  return value == null ? '' : oneLine(String(value));
}

/** @param {string} character one that some programs take for the end of a line */
function escaped(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
