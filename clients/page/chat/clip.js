/** Which clips a chat can carry with every question. */

/** @import { Clip } from '../types.d.ts' */

/** Bytes; they are sent as a data URL, which is a third larger. */
export const LARGEST = 16 * 1024 * 1024;

/**
 * Say whether a clip is small enough to be sent with every question.
 *
 * @param {Clip} clip
 */
export function fitsChat(clip) {
  return clip.kind !== 'file' || clip.file.size <= LARGEST;
}
