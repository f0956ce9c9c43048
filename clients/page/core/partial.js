/** An answer in parts: what the events of a stream add to it. */

/** @import { PartialAnswer, TimelineWindow } from '../types.d.ts' */
/** @import { StreamEvent } from '../vendor/emotion-llama-sdk/index.js' */

/** @type {PartialAnswer} */
export const NOTHING_YET = { emotion: null, explanation: '', windows: [] };

/**
 * @param {PartialAnswer} partial
 * @param {StreamEvent} event
 * @returns {PartialAnswer}
 */
export function withEvent(partial, event) {
  switch (event.type) {
    case 'emotion':
      return { ...partial, emotion: event.data };
    case 'explanation.delta':
      return { ...partial, explanation: partial.explanation + event.data.delta };
    case 'timeline.window':
      return { ...partial, windows: withWindow(partial.windows, event.data) };
    default:
      return partial;
  }
}

/**
 * The windows with one more in its place by `start`; they come in any order.
 *
 * @template {TimelineWindow} Window
 * @param {readonly Window[]} windows - Sorted.
 * @param {Window} window
 */
export function withWindow(windows, window) {
  let from = 0;
  let to = windows.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (/** @type {Window} */ (windows[middle]).start < window.start) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return windows.toSpliced(from, 0, window);
}
