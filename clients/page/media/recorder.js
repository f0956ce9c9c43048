/** Records a stream as one clip that is a whole file. */

/**
 * @typedef {object} Recorded
 * @property {File} file
 * @property {number} seconds - Measured while it was recorded.
 */

/** Containers alone: codecs that do not fit the tracks make Firefox fail. */
const CONTAINERS = ['video/webm', 'video/mp4'];

const BITS_PER_SECOND = { videoBitsPerSecond: 1_500_000, audioBitsPerSecond: 128_000 };

/**
 * Return the container that this browser records, or undefined for its default.
 *
 * @param {(type: string) => boolean} isSupported
 */
export function containerOf(isSupported) {
  return CONTAINERS.find(isSupported);
}

/**
 * Return the name of a clip that was recorded at a time, by the clock of this place.
 *
 * @param {string} type - Of the recorder, codecs included.
 * @param {Date} date
 */
export function nameOf(type, date) {
  const two = (/** @type {number} */ part) => String(part).padStart(2, '0');
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join('-');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join('.');
  return `recording ${day} ${time}.${type.startsWith('video/mp4') ? 'mp4' : 'webm'}`;
}

/** One recording of a stream, from its making to `stop` or `discard`. */
export class Recording {
  /** @type {MediaRecorder} */
  #recorder;
  /** @type {Blob[]} */
  #parts = [];
  #started = performance.now();
  #date = new Date();
  /** @type {Promise<void>} */
  #end;

  /** @param {MediaStream} stream */
  constructor(stream) {
    const mimeType = containerOf((type) => MediaRecorder.isTypeSupported(type));
    this.#recorder = new MediaRecorder(stream, { mimeType, ...BITS_PER_SECOND });
    this.#recorder.addEventListener('dataavailable', ({ data }) => this.#parts.push(data));
    this.#end = new Promise((resolve, reject) => {
      this.#recorder.addEventListener('stop', () => resolve());
      this.#recorder.addEventListener('error', () => reject(new Error('The recording failed.')));
    });
    this.#end.catch(() => {}); // told by `stop`; a recording that is discarded may fail unheard
    this.#recorder.start();
  }

  /** Seconds since its start. */
  get seconds() {
    return (performance.now() - this.#started) / 1000;
  }

  /**
   * End it, which a track that ended may have done before.
   *
   * @returns {Promise<Recorded>}
   */
  async stop() {
    const { seconds } = this;
    if (this.#recorder.state !== 'inactive') {
      this.#recorder.stop();
    }
    await this.#end;
    const [type = 'video/webm'] = this.#recorder.mimeType.split(';');
    const file = new File(this.#parts, nameOf(type, this.#date), { type });
    this.#parts = [];
    return { file, seconds };
  }

  /** End it for nothing. */
  discard() {
    if (this.#recorder.state !== 'inactive') {
      this.#recorder.stop();
    }
  }
}
