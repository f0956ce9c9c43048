/** Slots: so many requests at once in this tab, whichever view asks. */

/** @import { Slots } from '../types.d.ts' */

/**
 * Browsers open six connections to a host; a page that uses them all hangs without an error.
 *
 * @param {number} places
 * @returns {Slots}
 */
export function createSlots(places) {
  let free = places;
  /** @type {(() => void)[]} */
  const waiting = [];

  /** @param {AbortSignal} [signal] */
  async function take(signal) {
    signal?.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return;
    }
    await turn(waiting, signal);
  }

  function leave() {
    const next = waiting.shift();
    if (next) {
      next();
    } else {
      free += 1;
    }
  }

  return {
    async run(work, signal) {
      await take(signal);
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}

/**
 * Wait in a line until one's turn; an abort leaves it.
 *
 * @param {(() => void)[]} line
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function turn(line, signal) {
  return new Promise((resolve, reject) => {
    const mine = () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    };
    const stop = () => {
      line.splice(line.indexOf(mine), 1);
      reject(signal?.reason);
    };
    line.push(mine);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
