/** Keeps a server that is slower than the camera from falling behind further and further. */

/** @import { Piece } from './types.d.ts' */

/** Sends pieces, so many at once; one more waits, and gives way to a newer one. */
export class Backpressure {
  #running = 0;
  /** @type {Piece | null} */
  #waiting = null;
  #most;
  #send;
  #onDropped;

  /**
   * @param {object} options
   * @param {number} [options.most] - How many are under way at once.
   * @param {(piece: Piece) => Promise<void>} options.send - Never rejects.
   * @param {(piece: Piece) => void} options.onDropped
   */
  constructor({ most = 2, send, onDropped }) {
    this.#most = most;
    this.#send = send;
    this.#onDropped = onDropped;
  }

  /** @param {Piece} piece */
  offer(piece) {
    if (this.#running < this.#most) {
      this.#start(piece);
      return;
    }
    this.drop();
    this.#waiting = piece;
  }

  /** Drop the one that waits. */
  drop() {
    const dropped = this.#waiting;
    this.#waiting = null;
    if (dropped) {
      this.#onDropped(dropped);
    }
  }

  /** @param {Piece} piece */
  async #start(piece) {
    this.#running += 1;
    await this.#send(piece);
    this.#running -= 1;
    const next = this.#waiting;
    this.#waiting = null;
    if (next) {
      this.#start(next);
    }
  }
}
