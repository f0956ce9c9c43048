/** Asking again after 429 and 503, with the pause in sight. */

import { pauseOf } from './failures.js';

/** Attempts by itself after the first; then it is the user's turn. */
const MOST = 3;

/**
 * @typedef {object} Pause
 * @property {number} seconds - Whole ones that are left.
 * @property {'busy' | 'rate'} reason
 * @property {() => void} now - Ends it.
 */

/**
 * Try until it succeeds, fails for good or has failed four times.
 *
 * @template T
 * @param {() => Promise<T>} attempt
 * @param {{signal: AbortSignal, onPause: (pause: Pause) => void, mayRetry?: () => boolean}} options
 *   `onPause` hears each second of a pause;
 *   `mayRetry` is asked after a failure.
 * @returns {Promise<T>}
 */
export async function withRetries(attempt, { signal, onPause, mayRetry = () => true }) {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      const pause = pauseOf(error);
      if (!pause || failures >= MOST || signal.aborted || !mayRetry()) {
        throw error;
      }
      const seconds = pause.seconds ?? 2 ** (failures + 1);
      await wait(seconds, signal, (left, now) =>
        onPause({ seconds: left, now, reason: pause.reason }),
      );
    }
  }
}

/**
 * @param {number} seconds
 * @param {AbortSignal} signal
 * @param {(left: number, now: () => void) => void} tell
 * @returns {Promise<void>}
 */
function wait(seconds, signal, tell) {
  return new Promise((resolve, reject) => {
    const end = Date.now() + seconds * 1000;
    const leave = () => {
      clearInterval(timer);
      signal.removeEventListener('abort', stop);
    };
    const go = () => {
      leave();
      resolve();
    };
    const stop = () => {
      leave();
      reject(signal.reason);
    };
    const count = () => {
      const left = Math.round((end - Date.now()) / 1000);
      if (left > 0) {
        tell(left, go);
      } else {
        go();
      }
    };
    const timer = setInterval(count, 1000);
    signal.addEventListener('abort', stop, { once: true });
    count();
  });
}
