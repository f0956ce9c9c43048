/** Honest numbers: probabilities in words that do not claim more than they say. */

import { labelText } from './labels.js';

/** @import { Strings } from '../types.d.ts' */

/** @typedef {[label: string, probability: number]} Entry */

/**
 * A probability in whole percent, but never 0 or 100.
 *
 * @param {Strings} t
 * @param {number} probability
 */
export function percent(t, probability) {
  const whole = Math.round(probability * 100);
  if (whole >= 100) {
    return t.number_over;
  }
  return whole <= 0 ? t.number_under : t.number_percent({ whole });
}

/**
 * Labels and their probabilities, the most probable first; equal ones keep their order.
 *
 * @param {Record<string, number>} probabilities
 * @returns {Entry[]}
 */
export function ranked(probabilities) {
  return Object.entries(probabilities).sort((a, b) => b[1] - a[1]);
}

/**
 * How clear the first label is: `strong`, `lean` or `unclear`.
 *
 * @param {Entry[]} entries - Ranked.
 */
export function clarity(entries) {
  const first = entries[0]?.[1] ?? 0;
  const second = entries[1]?.[1] ?? 0;
  if (first >= 0.8 && first - second >= 0.5) {
    return 'strong';
  }
  return first >= 0.5 && first - second >= 0.15 ? 'lean' : 'unclear';
}

/**
 * The result in one sentence.
 *
 * @param {Strings} t
 * @param {Record<string, number>} probabilities
 */
export function headline(t, probabilities) {
  const entries = ranked(probabilities);
  const [a = '', b = '', c = ''] = entries.map(([label]) => labelText(t, label));
  const [p = '', q = ''] = entries.map(([, probability]) => percent(t, probability));
  switch (clarity(entries)) {
    case 'strong':
      return t.result_strong({ a, p });
    case 'lean':
      return t.result_lean({ a, p, b, q });
    default:
      return t.result_unclear({ list: [a, b, c].filter(Boolean).join(t.list_comma) });
  }
}

/**
 * Bytes in megabytes, with one digit behind the point.
 *
 * @param {number} bytes
 */
export function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}
