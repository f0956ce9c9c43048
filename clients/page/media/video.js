/** Ties the page's `<video>` to the player and to the state. */

import { durationOf } from './duration.js';
import { player } from './player.js';

/** @import { App, PlayerState } from '../types.d.ts' */

/** The video that is attached, and what ends its listeners. */
let attached = /** @type {{video: HTMLVideoElement, end: AbortController} | null} */ (null);

/** What a new clip begins with. */
const FRESH = { isPlaying: false, hasFailed: false };

/**
 * Return the `ref` of the page's video, the same one at each call.
 *
 * @param {App} app
 */
export function videoRef(app) {
  attach ??= (element) => attachVideo(app, element);
  return attach;
}

/** @type {((element: Element | undefined) => void) | undefined} */
let attach;

/**
 * Forget with each clip what was looked at of the one before. To be called once.
 *
 * @param {App} app
 */
export function installPlayer({ store }) {
  let { clip } = store.get();
  store.subscribe((state) => {
    if (state.clip !== clip) {
      clip = state.clip;
      player.reset();
      store.set({
        player: { ...state.player, ...FRESH },
        timeline: { ...state.timeline, view: null, loop: null },
      });
    }
  });
}

/**
 * Attach a video that has come into the page, or detach the one that left it.
 *
 * @param {App} app
 * @param {Element | undefined} element
 */
function attachVideo(app, element) {
  if (attached?.video === element) {
    return;
  }
  if (attached) {
    attached.end.abort();
    attached.video.removeAttribute('src');
    attached.video.load(); // lets the clip's bytes go
    attached = null;
    player.attach(null);
  }
  if (element instanceof HTMLVideoElement) {
    attached = { video: element, end: new AbortController() };
    player.attach(element);
    listen(app, element, attached.end.signal);
  }
}

/**
 * @param {App} app
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} signal
 */
function listen(app, video, signal) {
  const on = (/** @type {string} */ name, /** @type {() => void} */ action) =>
    video.addEventListener(name, action, { signal });
  const tell = (/** @type {Partial<PlayerState>} */ patch) =>
    app.store.set({ player: { ...app.store.get().player, ...patch } });
  on('loadstart', () => {
    player.reset();
    measureOffset(app, video);
    tell(FRESH);
  });
  on('loadedmetadata', () => measureDuration(app, video));
  on('loadeddata', () => player.opened());
  on('error', () => video.hasAttribute('src') && tell({ hasFailed: true, isPlaying: false }));
  on('play', () => tell({ isPlaying: true }));
  on('playing', () => player.run());
  on('pause', () => tell({ isPlaying: false }));
  on('ended', () => replay());
  on('seeked', () => player.arrived());
  on('ratechange', () => tell({ rate: video.playbackRate }));
  on('volumechange', () => tell({ isMuted: video.muted }));
}

/**
 * The first frame of a clip need not be at 0; the server counts from it.
 *
 * @param {App} app
 * @param {HTMLVideoElement} video
 */
function measureOffset({ store }, video) {
  const src = video.currentSrc;
  video.requestVideoFrameCallback?.((_now, { mediaTime }) => {
    if (video.currentSrc === src && video.currentTime === 0) {
      const { duration } = store.get();
      player.setOffset(mediaTime);
      store.set({ duration: duration && duration - mediaTime });
    }
  });
}

/**
 * @param {App} app
 * @param {HTMLVideoElement} video
 */
async function measureDuration(app, video) {
  const { clip } = app.store.get();
  const measured = clip?.kind === 'file' ? clip.seconds : undefined;
  const duration = await durationOf(video, measured);
  if (app.store.get().clip === clip) {
    app.store.set({ duration: duration - player.offset });
  }
}

/** A loop that ends with the clip would end with it. */
function replay() {
  if (player.loop) {
    player.seek(player.loop.from);
    player.play();
  }
}
