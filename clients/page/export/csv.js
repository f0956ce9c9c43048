/** Writes CSV: timelines as the server writes them, with what spreadsheets need in addition. */

import { fixed } from './text.js';

/** @typedef {import('../types.d.ts').TimelineWindow} TimelineWindow */

/** Tells spreadsheets that the text is UTF-8. */
const BOM = '\ufeff';

/**
 * Return a line for each window: start and end in seconds, the label, every probability.
 *
 * @param {readonly TimelineWindow[]} windows
 */
export function timelineCsv(windows) {
  const labels = Object.keys(windows[0]?.probabilities ?? {});
  const rows = windows.map((window) => [
    fixed(window.start, 3),
    fixed(window.end, 3),
    window.emotion,
    ...[window.confidence, ...labels.map((label) => window.probabilities[label] ?? 0)].map(
      (share) => fixed(share, 6),
    ),
  ]);
  return csvText([['start', 'end', 'emotion', 'confidence', ...labels], ...rows]);
}

/**
 * Return rows as a CSV file, in which no cell is run as a formula.
 *
 * @param {readonly (readonly string[])[]} rows
 */
export function csvText(rows) {
  return BOM + rows.map((row) => `${row.map(cell).join(',')}\n`).join('');
}

/** @param {string} text */
function cell(text) {
  const safe = isFormula(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** @param {string} text */
function isFormula(text) {
  return /^(\t|\r|\s*[=+\-@＝＋－＠])/.test(text) && !Number.isFinite(Number(text || Number.NaN));
}
