/** Recording a clip with camera and microphone. */

import { focusSoon } from '../core/focus.js';
import { secondsText } from '../core/time.js';
import { CameraError, listDevices, openCamera } from '../media/camera.js';
import { Recording } from '../media/recorder.js';
import { takeFile } from '../media/source.js';
import { RECORD_CLOSED } from './state.js';

/** @import { App } from '../types.d.ts' */
/** @import { Devices, Opened } from '../media/camera.js' */
/** @import { RecordState } from './types.d.ts' */

export const RECORD_DIALOG = 'record-dialog';

/** Seconds, as the server hears no more of a clip. */
export const LONGEST = 120;

/** @type {Opened | null} */
let opened = null;
/** @type {Recording | null} */
let recording = null;
/** @type {ReturnType<typeof setInterval> | undefined} */
let clock;

/**
 * End a recording whose tab is hidden, as it may lose its sound there without a word.
 *
 * @param {App} app
 */
export function installRecord(app) {
  document.addEventListener('visibilitychange', () => document.hidden && stopRecording(app));
  window.addEventListener('pagehide', () => closeRecord(app));
  app.store.subscribe(({ route }) => route !== 'analyse' && opened && closeRecord(app));
}

/** @param {App} app */
export function openRecord(app) {
  const problem = isSecureContext ? null : 'insecure';
  app.store.set({ record: { ...RECORD_CLOSED, kind: 'asking', problem } });
  dialog()?.showModal();
}

/**
 * Let go of the camera.
 *
 * @param {App} app
 */
export function closeRecord(app) {
  clearInterval(clock);
  recording?.discard();
  recording = null;
  opened?.close();
  opened = null;
  app.store.set({ record: RECORD_CLOSED });
  dialog()?.close();
}

/**
 * Ask the person for the camera, and show what it sees.
 *
 * @param {App} app
 */
export async function openPreview(app) {
  change(app, { ...RECORD_CLOSED, kind: 'opening' });
  await open(app);
  focusSoon('#record-start');
}

/**
 * Show another camera or microphone.
 *
 * @param {App} app
 * @param {Devices} wanted
 */
export async function chooseDevice(app, wanted) {
  const { devices } = app.store.get();
  app.store.set({ devices: { ...devices, wanted: { ...devices.wanted, ...wanted } } });
  opened?.close();
  opened = null;
  change(app, { stream: null });
  await open(app);
}

/** @param {App} app */
async function open(app) {
  try {
    const got = await openCamera(app.store.get().devices.wanted);
    if (!['opening', 'ready'].includes(app.store.get().record.kind) || opened) {
      got.close();
      return;
    }
    opened = got;
    for (const track of got.stream.getTracks()) {
      track.addEventListener('ended', () => opened === got && lose(app));
    }
    const { stream, camera, microphone } = got;
    change(app, { kind: 'ready', stream, camera, microphone });
    await refreshDevices(app);
  } catch (error) {
    const problem = error instanceof CameraError ? error.problem : 'failed';
    change(app, { kind: 'asking', problem });
  }
}

/** @param {App} app */
export function startRecording(app) {
  if (!opened) {
    return;
  }
  const current = begin(opened.stream);
  if (!current) {
    fail(app);
    return;
  }
  recording = current;
  clock = setInterval(() => {
    change(app, { seconds: current.seconds });
    if (current.seconds >= LONGEST) {
      stopRecording(app);
    }
  }, 250);
  change(app, { kind: 'recording', seconds: 0 });
  app.announce(app.t().record_started);
  focusSoon('#record-stop');
}

/**
 * @param {MediaStream} stream
 * @returns {Recording | null} Null if this browser cannot record it.
 */
function begin(stream) {
  try {
    return new Recording(stream);
  } catch {
    return null;
  }
}

/**
 * End the recording, and take it as the clip.
 *
 * @param {App} app
 */
export async function stopRecording(app) {
  const ending = recording;
  if (!ending || !opened) {
    return;
  }
  recording = null;
  clearInterval(clock);
  const { camera } = opened;
  change(app, { kind: 'finishing' });
  try {
    const { file, seconds } = await ending.stop();
    closeRecord(app);
    takeFile(app, file, { recorded: camera, grey: !camera, seconds });
    focusSoon('#analyse');
    app.announce(app.t().record_done({ seconds: secondsText(app.t(), seconds) }));
  } catch {
    fail(app);
  }
}

/** @param {App} app */
async function refreshDevices(app) {
  const { wanted } = app.store.get().devices;
  app.store.set({ devices: { ...(await listDevices()), wanted } });
}

/**
 * A camera was pulled out: what it has seen counts.
 *
 * @param {App} app
 */
function lose(app) {
  if (recording) {
    stopRecording(app);
  } else {
    fail(app);
  }
}

/** @param {App} app */
function fail(app) {
  opened?.close();
  opened = null;
  change(app, { ...RECORD_CLOSED, kind: 'asking', problem: 'failed' });
}

function dialog() {
  return /** @type {HTMLDialogElement | null} */ (document.getElementById(RECORD_DIALOG));
}

/**
 * @param {App} app
 * @param {Partial<RecordState>} patch
 */
function change(app, patch) {
  app.store.set({ record: { ...app.store.get().record, ...patch } });
}
