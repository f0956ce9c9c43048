/** Writes SubRip subtitles. */

import { clock, fixed, oneLine } from './text.js';

/**
 * Return a numbered subtitle for each window: the label and its share.
 *
 * @param {readonly import('../types.d.ts').TimelineWindow[]} windows
 */
export function asSrt(windows) {
  const cues = windows.map(
    ({ start, end, emotion, confidence }, index) =>
      `${index + 1}\n${clock(start, ',')} --> ${clock(end, ',')}\n` +
      `${oneLine(emotion)} ${fixed(confidence * 100, 0)}%\n`,
  );
  return cues.join('\n');
}
