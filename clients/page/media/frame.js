/** Paints one frame of a clip, without moving what the player shows. */

import { hold, release } from './objecturls.js';

/** Seconds behind a frame's time at which every browser shows this frame and not the one before. */
const BEHIND = 0.002;

/** Milliseconds until a browser that shows no frame is given up. */
const PATIENCE = 5000;

/** Pixels of the longer side. */
const SIZE = 320;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} url of the clip
 * @param {number} time of the frame, in seconds from the clip's first one
 * @throws {Error} The browser cannot decode it.
 */
export async function paintFrame(canvas, url, time) {
  const video = document.createElement('video');
  hold(url);
  try {
    video.muted = true;
    video.preload = 'auto';
    video.src = url;
    const first = await firstFrame(video);
    if (time > BEHIND) {
      const found = heard(video, 'seeked');
      video.currentTime = first + time + BEHIND;
      await found;
    }
    draw(canvas, video);
  } finally {
    video.removeAttribute('src');
    video.load();
    release(url);
  }
}

/**
 * Wait for the first frame, and return its time by the video's own clock, which need not be 0.
 *
 * @param {HTMLVideoElement} video
 * @returns {Promise<number>}
 */
async function firstFrame(video) {
  /** @type {Promise<number>} */
  const shown = new Promise((resolve) => {
    video.requestVideoFrameCallback?.((_now, { mediaTime }) => resolve(mediaTime));
  });
  await heard(video, 'loadeddata');
  return Promise.race([shown, pause(PATIENCE / 10).then(() => 0)]);
}

/**
 * @param {HTMLVideoElement} video
 * @param {string} name of an event
 * @returns {Promise<void>}
 */
function heard(video, name) {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error('The frame cannot be decoded.'));
    video.addEventListener(name, () => resolve(), { once: true });
    video.addEventListener('error', fail, { once: true });
    void pause(PATIENCE).then(fail);
  });
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLVideoElement} video
 */
function draw(canvas, video) {
  const scale = Math.min(1, SIZE / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
}
