/** Where the clip comes from: a file, a sample, a URL or a path on the server. */

import { focusSoon } from '../core/focus.js';
import { cancel } from '../run.js';
import { makeUrl, release } from './objecturls.js';

/** @import { App, Clip, Failure, State } from '../types.d.ts' */

/**
 * Take a clip in place of the one before; what runs about that one ends.
 *
 * @param {App} app
 * @param {Clip | null} clip
 */
export function setClip(app, clip) {
  cancel(app);
  const { clip: before } = app.store.get();
  app.store.set({ clip, problem: null, duration: null, run: { kind: 'idle' } });
  const url = before && urlOf(before);
  if (url) {
    release(url);
  }
  focusSoon(clip ? '#analyse' : '[data-param="video"]'); // what had the focus may be gone
}

/**
 * What the player plays; undefined for a clip that the browser does not have.
 *
 * @param {Clip} clip
 */
export function urlOf(clip) {
  return clip.kind === 'file' ? clip.url : clip.copy;
}

/**
 * Take a file that was chosen, dropped or recorded.
 *
 * @param {App} app
 * @param {File} file
 * @param {{seconds?: number, recorded?: boolean, grey?: boolean, sample?: boolean}} [more]
 */
export function takeFile(app, file, more = {}) {
  const problem = problemOf(app.store.get(), file);
  if (problem) {
    app.store.set({ problem });
    return;
  }
  setClip(app, { kind: 'file', file, name: file.name, url: makeUrl(file), ...more });
}

/**
 * Why a file cannot be a clip here; the rest is the server's to say.
 *
 * @param {State} state
 * @param {File} file
 * @returns {Failure | null}
 */
function problemOf({ server }, file) {
  if (/\.npz$/i.test(file.name)) {
    return { kind: 'not_a_clip' };
  }
  const most = server.model?.limits?.clip_bytes ?? Number.POSITIVE_INFINITY;
  return file.size > most ? { kind: 'too_large', bytes: file.size } : null;
}

/**
 * Take a clip that the server reads itself.
 *
 * @param {App} app
 * @param {'path' | 'url'} kind
 * @param {string} name
 */
export function takeName(app, kind, name) {
  setClip(app, { kind, name: name.trim() });
}

/**
 * Let the player play the user's own copy of a clip that the server reads.
 *
 * @param {App} app
 * @param {File} file
 */
export function attachCopy(app, file) {
  const { clip } = app.store.get();
  if (clip && clip.kind !== 'file') {
    if (clip.copy) {
      release(clip.copy);
    }
    app.store.set({ clip: { ...clip, copy: makeUrl(file) }, duration: null });
  }
}

/**
 * Take a sample: it is fetched from the page's own folder and sent like any file.
 *
 * @param {App} app
 * @param {typeof import('./samples.js').SAMPLES[number]} sample
 */
export async function takeSample(app, { name, transcript }) {
  const response = await fetch(`page/samples/${name}.mp4`).catch(() => null);
  if (!response?.ok) {
    app.store.set({ problem: { kind: 'sample' } });
    return;
  }
  const file = new File([await response.blob()], `${name}.mp4`, { type: 'video/mp4' });
  const { form } = app.store.get();
  app.store.set({ form: { ...form, transcript } });
  takeFile(app, file, { sample: true });
}
