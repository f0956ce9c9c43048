/** A batch: asks about so many clips at once until each has an answer or a failure. */

/** @import { EmotionResponse, Failure, Sending } from '../types.d.ts' */
/** @import { Hold, ManyState, Row } from './types.d.ts' */

/** How often a batch goes on by itself after the server was busy, with no answer in between. */
const MOST_RETURNS = 3;

/**
 * What becomes of an error: the batch waits, or the clip has failed.
 * @typedef {{hold: Hold['reason'], seconds: number | null} | {failure: Failure}} Outcome
 */

/**
 * @typedef {object} Outside
 * @property {() => ManyState} get
 * @property {(patch: Partial<ManyState>) => void} set
 * @property {(row: Row, sending: Sending, signal: AbortSignal) => Promise<EmotionResponse>} ask
 * @property {(error: unknown) => Promise<Outcome>} judge
 * @property {() => number} atOnce
 */

/** Runs the rows of a batch; what it knows of them is in the state. */
export class Queue {
  #outside;
  /** @type {Map<number, AbortController>} */
  #running = new Map();
  #returns = 0;
  #nextId = 1;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #countdown;

  /** @param {Outside} outside */
  constructor(outside) {
    this.#outside = outside;
  }

  /**
   * Add clips and begin with them; one that is there already is left out.
   *
   * @param {{file: File, name: string}[]} clips
   */
  add(clips) {
    const { rows } = this.#outside.get();
    const known = new Set(rows.map(({ file, name }) => identityOf(file, name)));
    const added = clips
      .filter(({ file, name }) => !known.has(identityOf(file, name)))
      .map(({ file, name }) => newRow(this.#nextId++, file, name));
    this.#outside.set({ rows: [...rows, ...added] });
    this.#fill();
  }

  /** Begin with no further clip; those under way come to their end. */
  pause() {
    this.#hold({ reason: 'paused', seconds: null });
  }

  /** Go on after a pause of any reason. */
  resume() {
    this.#returns = 0;
    this.#release();
  }

  retryFailed() {
    const { rows } = this.#outside.get();
    this.#outside.set({ rows: rows.map((row) => (row.state === 'failed' ? again(row) : row)) });
    this.#fill();
  }

  /** @param {number} id */
  retry(id) {
    this.#update(id, { state: 'waiting', failure: null });
    this.#fill();
  }

  /**
   * Take a clip out, and give up its request.
   *
   * @param {number} id
   */
  remove(id) {
    this.#outside.set({ rows: this.#outside.get().rows.filter((row) => row.id !== id) });
    this.#running.get(id)?.abort();
  }

  /** Take all out. */
  clear() {
    clearInterval(this.#countdown);
    this.#outside.set({ rows: [], hold: null, page: 0, leftOut: 0, isSaved: true });
    for (const controller of this.#running.values()) {
      controller.abort();
    }
  }

  #fill() {
    const { rows, hold } = this.#outside.get();
    const room = this.#outside.atOnce() - this.#running.size;
    if (hold || room <= 0) {
      return;
    }
    for (const row of rows.filter(({ state }) => state === 'waiting').slice(0, room)) {
      this.#run(row);
    }
  }

  /** @param {Row} row */
  async #run(row) {
    const controller = new AbortController();
    this.#running.set(row.id, controller);
    const began = performance.now();
    this.#update(row.id, { state: 'sending', sent: 0, total: row.file.size });
    try {
      const answer = await this.#outside.ask(row, this.#sending(row.id), controller.signal);
      const seconds = (performance.now() - began) / 1000;
      this.#returns = 0;
      this.#update(row.id, { state: 'done', answer, seconds });
      this.#outside.set({ isSaved: false });
    } catch (error) {
      if (!controller.signal.aborted) {
        this.#failed(row.id, await this.#outside.judge(error));
      }
    } finally {
      this.#running.delete(row.id);
      this.#fill();
    }
  }

  /**
   * @param {number} id
   * @returns {Sending}
   */
  #sending(id) {
    return {
      onProgress: (sent, total) => this.#update(id, { sent, total }),
      onSent: () => this.#update(id, { state: 'reading' }),
    };
  }

  /**
   * @param {number} id
   * @param {Outcome} outcome
   */
  #failed(id, outcome) {
    if ('failure' in outcome) {
      this.#update(id, { state: 'failed', failure: outcome.failure });
      return;
    }
    this.#update(id, { state: 'waiting' });
    if (this.#outside.get().hold) {
      return; // others were refused at the same time
    }
    const { hold: reason, seconds } = outcome;
    this.#returns += 1;
    this.#hold({ reason, seconds: this.#returns > MOST_RETURNS ? null : seconds });
  }

  /** @param {Hold} hold */
  #hold(hold) {
    clearInterval(this.#countdown);
    this.#outside.set({ hold });
    if (hold.seconds !== null) {
      this.#countDown(hold.reason, Date.now() + hold.seconds * 1000);
    }
  }

  /**
   * @param {Hold['reason']} reason
   * @param {number} end - In milliseconds since 1970.
   */
  #countDown(reason, end) {
    this.#countdown = setInterval(() => {
      const seconds = Math.round((end - Date.now()) / 1000);
      if (seconds > 0) {
        this.#outside.set({ hold: { reason, seconds } });
      } else {
        this.#release();
      }
    }, 1000);
  }

  #release() {
    clearInterval(this.#countdown);
    this.#outside.set({ hold: null });
    this.#fill();
  }

  /**
   * @param {number} id
   * @param {Partial<Row>} patch
   */
  #update(id, patch) {
    const { rows } = this.#outside.get();
    const at = rows.findIndex((row) => row.id === id);
    const row = rows[at];
    if (row) {
      this.#outside.set({ rows: rows.with(at, { ...row, ...patch }) });
    }
  }
}

/**
 * @param {number} id
 * @param {File} file
 * @param {string} name
 * @returns {Row}
 */
function newRow(id, file, name) {
  const none = { answer: null, failure: null, seconds: 0, sent: 0 };
  return { id, file, name, state: 'waiting', total: file.size, ...none };
}

/**
 * @param {Row} row
 * @returns {Row}
 */
function again(row) {
  return { ...row, state: 'waiting', failure: null };
}

/**
 * @param {File} file
 * @param {string} name
 */
function identityOf(file, name) {
  return [name, file.size, file.lastModified].join('\n');
}
