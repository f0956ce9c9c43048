/** Writes an answer as JSON, also one that is not complete. */

/**
 * Return the answer as the server gave it, or what has come of it, marked `"complete": false`.
 *
 * @param {Omit<import('../types.d.ts').Shown, 'asked' | 'answer'> & {answer: object | null}} shown
 * @param {string} notice what the model is and is not
 */
export function asJson(shown, notice) {
  const partial = {
    complete: false,
    ...shown.emotion,
    explanation: shown.explanation,
    timeline: shown.windows,
    notice,
  };
  return `${JSON.stringify(shown.answer ?? partial, null, 2)}\n`;
}
