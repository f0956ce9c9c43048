/** The player: the one source of the time in a clip, with or without a video that is played. */

/** @import { Span } from '../types.d.ts' */

/** Seconds behind a frame's time at which every browser shows this frame and not the one before. */
const BEHIND = 0.002;

/** The height of a small picture in pixels. */
const SMALL = 128;

/** Speeds to choose from. */
export const RATES = [0.25, 0.5, 0.75, 1, 1.5, 2];

/** Times are in seconds of the clip: those of the video less that of its first frame. */
class Player {
  /** @type {HTMLVideoElement | null} */
  #video = null;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** The position that is sought; seeks do not pile up. @type {number | null} */
  #wanted = null;
  /** The position that the video was sent to last, until it has arrived. @type {number | null} */
  #sought = null;
  /** The position where there is no video. */
  #resting = 0;
  /** When the video's first frame is shown, on the video's own clock. */
  #offset = 0;
  #frame = 0;
  /** The part that plays again and again. @type {Span | null} */
  loop = null;

  get time() {
    const shown = this.#video ? this.#video.currentTime - this.#offset : this.#resting;
    return this.#wanted ?? Math.max(0, shown);
  }

  get isPlaying() {
    return this.#video !== null && !this.#video.paused;
  }

  get hasVideo() {
    return this.#video !== null;
  }

  /** The speed, 1 for the clip's own. */
  get rate() {
    return this.#video?.playbackRate ?? 1;
  }

  set rate(rate) {
    if (this.#video) {
      this.#video.playbackRate = rate;
    }
  }

  /** @param {boolean} isMuted */
  setMuted(isMuted) {
    if (this.#video) {
      this.#video.muted = isMuted;
    }
  }

  /**
   * Call `listener` whenever the position has changed, at most once per animation frame.
   *
   * @param {() => void} listener
   * @returns {() => void} What ends that.
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {number} time */
  seek(time) {
    const wanted = Math.max(0, time);
    if (this.#video) {
      this.#wanted = wanted;
      if (!this.#video.seeking) {
        this.#send(this.#video, wanted);
      }
    } else {
      this.#resting = wanted;
    }
    this.#tell();
  }

  /**
   * Show the frame of a time.
   *
   * @param {number} time as the server tells it
   */
  showFrame(time) {
    this.pause();
    this.seek(time + BEHIND);
  }

  play() {
    this.#video?.play().catch(() => {}); // a pause or a new clip came first
  }

  pause() {
    this.#video?.pause();
  }

  /** Play, or pause. */
  toggle() {
    if (this.isPlaying) {
      this.pause();
    } else {
      this.play();
    }
  }

  /**
   * Paint the picture at the position, small.
   *
   * @param {HTMLCanvasElement} canvas
   */
  paint(canvas) {
    const video = this.#video;
    if (video && video.readyState >= video.HAVE_CURRENT_DATA) {
      const width = Math.round((SMALL * video.videoWidth) / video.videoHeight);
      if (canvas.width !== width) {
        canvas.width = width;
        canvas.height = SMALL;
      }
      canvas.getContext('2d')?.drawImage(video, 0, 0, width, SMALL);
    }
  }

  /** The video has its first picture. */
  opened() {
    this.#tell();
  }

  /**
   * Take a video in place of the one before.
   *
   * @param {HTMLVideoElement | null} video
   */
  attach(video) {
    cancelAnimationFrame(this.#frame);
    this.#video = video;
    this.reset();
  }

  /** Go back to the start, as a new clip does. */
  reset() {
    this.#wanted = this.#sought = null;
    this.#resting = 0;
    this.#offset = 0;
    this.loop = null;
    this.#tell();
  }

  get offset() {
    return this.#offset;
  }

  /** @param {number} offset */
  setOffset(offset) {
    this.#offset = offset;
    this.#tell();
  }

  /** The video has found a position; only the newest one that is wanted counts. */
  arrived() {
    if (this.#video && this.#wanted !== this.#sought && this.#wanted !== null) {
      this.#send(this.#video, this.#wanted);
      return;
    }
    this.#wanted = this.#sought = null;
    this.#tell();
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {number} time
   */
  #send(video, time) {
    this.#sought = time;
    video.currentTime = time + this.#offset; // at most its duration, as browsers see to
  }

  /** Tell the position with every animation frame while it moves. */
  run() {
    cancelAnimationFrame(this.#frame);
    const step = () => {
      if (this.loop && (this.time >= this.loop.to || this.time < this.loop.from)) {
        this.seek(this.loop.from);
      }
      this.#tell();
      if (this.isPlaying) {
        this.#frame = requestAnimationFrame(step);
      }
    };
    this.#frame = requestAnimationFrame(step);
  }

  #tell() {
    for (const listener of this.#listeners) {
      listener();
    }
  }
}

export const player = new Player();
