/** Writes WebVTT subtitles as the server writes them, with notes before them. */

import { clock, fixed, oneLine } from './text.js';

/** @typedef {import('../types.d.ts').TimelineWindow} TimelineWindow */

/**
 * Return a subtitle for each window: the label and its share.
 *
 * @param {readonly TimelineWindow[]} windows
 * @param {readonly string[]} notes what readers of the file should know; players do not show it
 */
export function asVtt(windows, notes) {
  const cues = windows.map(
    ({ start, end, emotion, confidence }) =>
      `${clock(start, '.')} --> ${clock(end, '.')}\n` +
      `${escaped(oneLine(emotion))} ${fixed(confidence * 100, 0)}%\n`,
  );
  // A note ends at an empty line, and may not contain the arrow of a cue.
  const comments = notes.map((note) => `NOTE ${oneLine(note).replaceAll('-->', '->')}\n`);
  return ['WEBVTT\n', ...comments, ...cues].join('\n');
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
