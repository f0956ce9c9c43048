/** One session of live mode: from the open camera to its end. */

import { withWindow } from '../core/partial.js';
import { PieceRecorder } from '../media/live.js';
import { failureOf, pauseOf } from '../net/failures.js';
import { Backpressure } from './backpressure.js';
import { withGap } from './windows.js';

/** @import { App, Failure } from '../types.d.ts' */
/** @import { Opened } from '../media/camera.js' */
/** @import { GapReason, LiveProblem, LiveState, PauseReason, Piece } from './types.d.ts' */

/** Pieces in a row that fail before the session gives up. */
const MOST_FAILURES = 3;

/** Seconds that a session outlives in a tab that is hidden. */
export const LONGEST_HIDDEN = 300;

/** Sends what a camera sees, piece by piece, and keeps what comes back in the state. */
export class LiveSession {
  #app;
  #opened;
  #origin = performance.now();
  #under = new AbortController();
  #recorder;
  #backpressure;
  #failures = 0;
  /** @type {{start: number, reason: PauseReason} | null} */
  #pause = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #goOn;
  #clock;
  /** @type {() => void} */
  #hasEnded = () => {};
  /** Resolves at the end. */
  ended = new Promise((resolve) => {
    this.#hasEnded = () => resolve(undefined);
  });

  /**
   * @param {App} app
   * @param {Opened} opened
   */
  constructor(app, opened) {
    this.#app = app;
    this.#opened = opened;
    const { stream, camera, microphone } = opened;
    this.#backpressure = new Backpressure({
      send: (piece) => this.#send(piece),
      onDropped: (piece) => this.#dropped(piece),
    });
    this.#recorder = new PieceRecorder(stream, {
      now: () => this.#now(),
      onPiece: (piece) => this.#backpressure.offer(piece),
      onLost: (start, end) => this.#lose({ start, end }, 'failed'),
    });
    this.#clock = setInterval(() => this.#change({ seconds: this.#now() }), 1000);
    this.#change({ kind: 'running', stream, camera, microphone, startedAt: Date.now() });
    this.#watchTracks();
    this.#recorder.start();
  }

  /**
   * Record nothing for a while; a pause for another reason takes over.
   *
   * @param {PauseReason} reason
   * @param {number} [seconds] - After which it goes on by itself.
   */
  pause(reason, seconds) {
    const recorded = this.#recorder.stop();
    const start = this.#pause ? this.#now() : recorded;
    this.#drawPause();
    this.#pause = { start, reason };
    this.#enableTracks(reason === 'busy' || reason === 'no-picture');
    clearTimeout(this.#goOn);
    const goesOnAt = seconds === undefined ? null : Date.now() + seconds * 1000;
    if (seconds !== undefined) {
      this.#goOn = setTimeout(() => this.resume(), seconds * 1000);
    }
    this.#change({ kind: 'paused', pausedBy: reason, goesOnAt });
  }

  /** Go on after a pause. */
  resume() {
    if (!this.#pause) {
      return;
    }
    clearTimeout(this.#goOn);
    const { start, reason } = this.#pause;
    this.#drawPause();
    this.#pause = null;
    this.#enableTracks(true);
    this.#recorder.start();
    const hidden = reason === 'hidden' ? { hiddenFor: Math.round(this.#now() - start) } : {};
    this.#change({ kind: 'running', pausedBy: null, goesOnAt: null, ...hidden });
  }

  /** Why nothing is recorded, or undefined. */
  get pausedBy() {
    return this.#pause?.reason;
  }

  /**
   * Let go of the camera and of what is under way.
   *
   * @param {{problem?: LiveProblem, failure?: Failure}} [why]
   */
  end(why = {}) {
    if (this.#under.signal.aborted) {
      return;
    }
    this.#under.abort();
    this.#recorder.stop();
    this.#drawPause();
    clearTimeout(this.#goOn);
    clearInterval(this.#clock);
    this.#opened.close();
    const seconds = this.#now();
    this.#change({ kind: 'ended', stream: null, pausedBy: null, goesOnAt: null, seconds, ...why });
    this.#hasEnded();
  }

  #now() {
    return (performance.now() - this.#origin) / 1000;
  }

  /** @param {Piece} piece */
  async #send(piece) {
    const { signal } = this.#under;
    const { form } = this.#app.store.get();
    const labels = form.labels ?? undefined;
    const asked = { video: piece.file, task: /** @type {const} */ ('emotion'), labels, signal };
    try {
      const answer = await this.#app.slots.run(
        () => this.#app.client().analyze({ ...asked, frame: 'middle' }),
        signal,
      );
      this.#failures = 0;
      this.#show(piece, answer);
    } catch (error) {
      if (!signal.aborted) {
        this.#failed(piece, error);
      }
    }
  }

  /**
   * @param {Piece} piece
   * @param {import('../types.d.ts').EmotionResponse} answer
   */
  #show({ start, end }, answer) {
    const { emotion, confidence, probabilities } = answer;
    const lag = this.#now() - end;
    const window = { start, end, emotion, confidence, probabilities, lag };
    const windows = withWindow(this.#live.windows, window);
    this.#change({ windows, latest: answer, seconds: this.#now(), isSaved: false });
  }

  /**
   * @param {Piece} piece
   * @param {unknown} error
   */
  #failed(piece, error) {
    const pause = pauseOf(error);
    this.#lose(piece, pause ? 'busy' : 'failed');
    if (pause) {
      this.#backpressure.drop();
      if (!this.#pause) {
        this.pause('busy', pause.seconds);
      }
      return;
    }
    this.#failures += 1;
    const failure = failureOf(error);
    if (failure.kind.startsWith('key') || this.#failures === MOST_FAILURES) {
      this.end({ failure });
    }
  }

  /** @param {Piece} piece */
  #dropped(piece) {
    this.#lose(piece, 'dropped');
    this.#change({ dropped: this.#live.dropped + 1 });
  }

  /**
   * @param {{start: number, end: number}} stretch
   * @param {GapReason} reason
   */
  #lose({ start, end }, reason) {
    this.#change({ gaps: withGap(this.#live.gaps, { start, end, reason }) });
  }

  #drawPause() {
    if (this.#pause) {
      this.#lose({ start: this.#pause.start, end: this.#now() }, this.#pause.reason);
    }
  }

  /** A camera that is pulled out ends the session; one that sees nothing pauses it. */
  #watchTracks() {
    const { signal } = this.#under;
    for (const track of this.#opened.stream.getTracks()) {
      track.addEventListener('ended', () => this.end({ problem: 'unplugged' }), { signal });
      track.addEventListener('mute', () => this.#pause || this.pause('no-picture'), { signal });
      track.addEventListener(
        'unmute',
        () => this.#pause?.reason === 'no-picture' && this.resume(),
        { signal },
      );
    }
  }

  /** @param {boolean} areEnabled */
  #enableTracks(areEnabled) {
    for (const track of this.#opened.stream.getTracks()) {
      track.enabled = areEnabled;
    }
  }

  get #live() {
    return this.#app.store.get().live;
  }

  /** @param {Partial<LiveState>} patch */
  #change(patch) {
    this.#app.store.set({ live: { ...this.#live, ...patch } });
  }
}
