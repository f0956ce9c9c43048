/** Opens camera and microphone as one stream, and says in one word why it cannot. */

/**
 * `none` means neither camera nor microphone; a single one that is missing is no error.
 * @typedef {'insecure' | 'refused' | 'none' | 'in_use' | 'failed'} CameraProblem
 */

/**
 * @typedef {object} Opened
 * @property {MediaStream} stream - With a picture in any case, and with sound if there is any.
 * @property {boolean} camera - False if the picture is a grey one in place of a camera's.
 * @property {boolean} microphone
 * @property {() => void} close - Ends every track.
 */

/** @typedef {{camera?: string, microphone?: string}} Devices - Identifiers; `none` leaves one out. */

/** What browsers call the problems. */
const PROBLEMS = /** @type {Record<string, CameraProblem>} */ ({
  NotAllowedError: 'refused',
  SecurityError: 'refused',
  NotFoundError: 'none',
  NotReadableError: 'in_use',
  AbortError: 'in_use',
});

const PICTURE = {
  width: { ideal: 640 },
  height: { ideal: 480 },
  frameRate: { ideal: 25, max: 30 },
};

/** What a browser does to a voice by default changes the voice that is to be judged. */
const SOUND = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

const GREY = { width: 320, height: 240, colour: '#808080', perSecond: 5 };

/** Says why there is no stream. */
export class CameraError extends Error {
  /**
   * @param {CameraProblem} problem
   * @param {unknown} [cause]
   */
  constructor(problem, cause) {
    super(`The camera cannot be opened: ${problem}.`, { cause });
    this.problem = problem;
  }
}

/**
 * Ask the person for camera and microphone, and take what there is of them.
 *
 * @param {Devices} [wanted]
 * @returns {Promise<Opened>}
 * @throws {CameraError} There is no stream.
 */
export async function openCamera(wanted = {}) {
  if (!globalThis.isSecureContext || !navigator.mediaDevices) {
    throw new CameraError('insecure');
  }
  try {
    return withPicture(await openTracks(constraintsOf(wanted)));
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    throw error instanceof CameraError ? error : new CameraError(PROBLEMS[name] ?? 'failed', error);
  }
}

/**
 * Say what there is to choose from, by the names that are known once a camera has been allowed.
 *
 * @returns {Promise<{cameras: MediaDeviceInfo[], microphones: MediaDeviceInfo[]}>}
 */
export async function listDevices() {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const named = all.filter((device) => device.deviceId && device.label);
  return {
    cameras: named.filter((device) => device.kind === 'videoinput'),
    microphones: named.filter((device) => device.kind === 'audioinput'),
  };
}

/**
 * End every track of a stream.
 *
 * @param {MediaStream} stream
 */
export function stopTracks(stream) {
  for (const track of stream.getTracks()) {
    track.stop();
  }
}

/**
 * @param {Devices} wanted
 * @returns {MediaStreamConstraints}
 */
function constraintsOf({ camera, microphone }) {
  const by = (/** @type {string | undefined} */ id) => (id ? { deviceId: { exact: id } } : {});
  return {
    video: camera !== 'none' && { ...PICTURE, facingMode: 'user', ...by(camera) },
    audio: microphone !== 'none' && { ...SOUND, ...by(microphone) },
  };
}

/**
 * Browsers find nothing if one of two is missing, so each is then asked for by itself.
 *
 * @param {MediaStreamConstraints} constraints
 */
async function openTracks(constraints) {
  const { video, audio } = constraints;
  const whole = await found(constraints);
  const single =
    whole ?? (video && (await found({ video }))) ?? (audio && (await found({ audio })));
  if (!single) {
    throw new CameraError('none');
  }
  return single;
}

/**
 * @param {MediaStreamConstraints} constraints
 * @returns {Promise<MediaStream | undefined>} Undefined if a device is missing.
 */
async function found(constraints) {
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    // A device that was chosen and is gone is over-constrained.
    if (error instanceof Error && ['NotFoundError', 'OverconstrainedError'].includes(error.name)) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Sound alone gets a grey picture, as the server takes no clip without one.
 *
 * @param {MediaStream} stream
 * @returns {Opened}
 */
function withPicture(stream) {
  const camera = stream.getVideoTracks().length > 0;
  const microphone = stream.getAudioTracks().length > 0;
  if (camera) {
    return { stream, camera, microphone, close: () => stopTracks(stream) };
  }
  const grey = greyPicture();
  stream.addTrack(grey.track);
  const close = () => {
    grey.stop();
    stopTracks(stream);
  };
  return { stream, camera, microphone, close };
}

/** A track gets a picture only when its canvas is drawn, even if nothing on it changes. */
function greyPicture() {
  const canvas = document.createElement('canvas');
  canvas.width = GREY.width;
  canvas.height = GREY.height;
  const context = canvas.getContext('2d');
  const draw = () => {
    if (context) {
      context.fillStyle = GREY.colour;
      context.fillRect(0, 0, GREY.width, GREY.height);
    }
  };
  draw();
  const timer = setInterval(draw, 1000 / GREY.perSecond);
  const [track] = canvas.captureStream(GREY.perSecond).getVideoTracks();
  if (!track) {
    throw new CameraError('failed');
  }
  return { track, stop: () => clearInterval(timer) };
}
