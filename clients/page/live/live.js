/** Live mode: starts and ends the one session of this browser. */

import { focusSoon } from '../core/focus.js';
import { CameraError, openCamera } from '../media/camera.js';
import { LiveSession, LONGEST_HIDDEN } from './session.js';
import { LIVE_OFF } from './state.js';

/** @import { App } from '../types.d.ts' */
/** @import { LiveProblem, LiveState } from './types.d.ts' */

/** Held by the tab that runs live mode. */
const LOCK = 'emotion-llama.live';

/** @type {LiveSession | null} */
let session = null;

/**
 * @param {App} app
 * @param {Partial<LiveState>} patch
 */
export function changeLive(app, patch) {
  app.store.set({ live: { ...app.store.get().live, ...patch } });
}

/**
 * Watch the tab: a hidden one pauses, and one that goes to another view or page ends live mode.
 *
 * @param {App} app
 */
export function installLive(app) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let limit;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(limit);
    if (document.hidden) {
      limit = setTimeout(() => session?.end({ problem: 'hidden-long' }), LONGEST_HIDDEN * 1000);
      hide();
    } else {
      comeBack(app);
    }
  });
  window.addEventListener('pagehide', () => session?.end());
  app.store.subscribe(({ route }) => route !== 'live' && session?.end());
}

/**
 * Open the camera and begin, unless another tab runs live mode.
 *
 * @param {App} app
 */
export async function startLive(app) {
  const { span } = app.store.get().live;
  app.store.set({ live: { ...LIVE_OFF, span, kind: 'opening' } });
  if (!isSecureContext) {
    refuse(app, 'insecure');
    return;
  }
  await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock) {
      await run(app);
    } else {
      refuse(app, 'other-tab');
    }
  });
}

export function pauseLive() {
  session?.pause('paused');
}

export function resumeLive() {
  session?.resume();
}

/** @param {App} app */
export function stopLive(app) {
  session?.end();
  app.announce(app.t().live_stopped);
}

/** @param {App} app */
async function run(app) {
  try {
    const opened = await openCamera(app.store.get().devices.wanted);
    if (app.store.get().route !== 'live') {
      opened.close();
      return;
    }
    session = new LiveSession(app, opened);
    app.announce(app.t().live_started);
    focusSoon('#live-pause');
    await session.ended;
    focusSoon('#live-start');
  } catch (error) {
    refuse(app, error instanceof CameraError ? error.problem : 'failed');
  } finally {
    session = null;
  }
}

/**
 * @param {App} app
 * @param {LiveProblem} problem
 */
function refuse(app, problem) {
  changeLive(app, { kind: 'off', problem });
}

function hide() {
  if (session && session.pausedBy !== 'paused') {
    session.pause('hidden');
  }
}

/** @param {App} app */
function comeBack(app) {
  if (session?.pausedBy === 'hidden') {
    session.resume();
    app.announce(app.t().live_hidden({ seconds: app.store.get().live.hiddenFor ?? 0 }));
  }
}
