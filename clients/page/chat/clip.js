/** The clip as a chat carries it: as a data URL, with every question. */

/** @import { Clip } from '../types.d.ts' */

/** Bytes; a data URL is a third larger, and goes along with every question. */
export const LARGEST = 16 * 1024 * 1024;

/** @type {WeakMap<File, Promise<string>>} */
const urls = new WeakMap();

/**
 * Say whether a clip is small enough to be sent with every question.
 *
 * @param {Clip} clip
 */
export function fitsChat(clip) {
  return clip.kind !== 'file' || clip.file.size <= LARGEST;
}

/**
 * Return what names the clip in a message.
 *
 * @param {Clip} clip
 * @returns {Promise<string>}
 */
export async function urlForChat(clip) {
  if (clip.kind !== 'file') {
    return clip.name;
  }
  const known = urls.get(clip.file) ?? dataUrl(clip.file);
  urls.set(clip.file, known);
  return known;
}

/**
 * @param {File} file
 * @returns {Promise<string>}
 */
function dataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
