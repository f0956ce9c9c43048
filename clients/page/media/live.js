/** Cuts what a camera sees into clips of a few seconds, without losing what lies between them. */

import { Recording } from './recorder.js';

/** @import { Piece } from '../live/types.d.ts' */

/** Seconds; shorter pieces at the end of a stretch are not worth a request. */
export const PIECE = 2;

/**
 * Two recorders take turns: the next one starts before the last one stops, as the later parts of
 * a single recording are no files by themselves.
 */
export class PieceRecorder {
  #stream;
  #now;
  #onPiece;
  #onLost;
  #record;
  /** @type {Recording | null} */
  #current = null;
  #start = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {MediaStream} stream
   * @param {object} options
   * @param {() => number} options.now - Seconds from the start of the session.
   * @param {(piece: Piece) => void} options.onPiece
   * @param {(start: number, end: number) => void} options.onLost - A recording failed.
   * @param {(stream: MediaStream) => Recording} [options.record]
   */
  constructor(stream, { now, onPiece, onLost, record = (seen) => new Recording(seen) }) {
    this.#stream = stream;
    this.#now = now;
    this.#onPiece = onPiece;
    this.#onLost = onLost;
    this.#record = record;
  }

  /** Begin, or go on after `stop`. */
  start() {
    this.#turn();
  }

  /**
   * End the piece that is being recorded for nothing.
   *
   * @returns {number} When it had begun.
   */
  stop() {
    clearTimeout(this.#timer);
    const start = this.#current ? this.#start : this.#now();
    this.#current?.discard();
    this.#current = null;
    return start;
  }

  #turn() {
    const last = this.#current;
    const start = this.#start;
    this.#current = this.#record(this.#stream);
    this.#start = this.#now();
    this.#timer = setTimeout(() => this.#turn(), PIECE * 1000);
    if (last) {
      this.#hand(last, start, this.#start);
    }
  }

  /**
   * @param {Recording} recording
   * @param {number} start
   * @param {number} end
   */
  async #hand(recording, start, end) {
    try {
      const { file } = await recording.stop();
      this.#onPiece({ file, start, end });
    } catch {
      this.#onLost(start, end);
    }
  }
}
