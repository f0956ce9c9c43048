/** The lines of a batch, one for each clip, and what the lines of its results mean. */

import { fromResult, InvalidAnswer } from '../errors.js';
import { parseObject } from '../json.js';
import type { Analysis } from '../many.js';
import { makeCall, type Options } from '../options.js';
import type { EmotionResponse } from '../schema.js';
import type { BatchResult } from './schema.js';

const MOST_LINES = 50_000;
const MOST_NAME = 512;
const MOST_HOURS = 168;
const DAY_HOURS = 24;

/** A clip of a batch: as a `videoPath`, or a `File`, which is uploaded. */
export type BatchClip = string | URL | File;

/** What has become of one clip before the batch begins. */
export interface ClipUpload {
  /** The clip's name, which is also the `custom_id` of its line. */
  name: string;
  /** By which the server knows the clip: a file's id, a URL or a path; undefined after a failure. */
  video?: string;
  error?: unknown;
}

/** A clip and how it is asked about. */
export interface Asked {
  name: string;
  clip: BatchClip;
  /** The line, once the server has the clip. */
  line(video: string): string;
}

/**
 * The lines of clips by their names, in the order of the clips.
 *
 * @throws TypeError - There are no clips or too many, or one cannot have a line.
 */
export function linesOfClips(
  clips: Iterable<BatchClip>,
  optionsOf: (clip: BatchClip) => Options,
): Map<string, Asked> {
  const found = new Map<string, Asked>();
  for (const clip of clips) {
    const name = nameOfClip(clip);
    const isTwin = found.has(name) && found.get(name)?.clip !== clip;
    if (isTwin && clip instanceof File) {
      throw new TypeError(`Two files have the name ${name}: a batch tells its clips by name.`);
    }
    const given = clip instanceof File ? { video: clip } : { videoPath: clip };
    const call = makeCall({ ...optionsOf(clip), ...given });
    found.set(name, { name, clip, line: (video) => asLine(name, call.naming(video)) });
  }
  if (found.size < 1 || found.size > MOST_LINES) {
    throw new TypeError(`A batch has 1 to ${MOST_LINES} clips, not ${found.size}.`);
  }
  return found;
}

/**
 * Seconds that an uploaded clip is kept: a day longer than the lines may take.
 *
 * @throws TypeError - The window is none.
 */
export function clipSeconds(completionWindow: string): number {
  const [, hours] = /^([1-9]\d{0,2})h$/.exec(completionWindow) ?? [];
  if (hours === undefined || Number(hours) > MOST_HOURS) {
    throw new TypeError('`completionWindow` is 1h to 168h.');
  }
  return (Number(hours) + DAY_HOURS) * 3600;
}

/**
 * The result that a line is.
 *
 * @throws {@link InvalidAnswer} It is none.
 */
export function resultOf(line: string): BatchResult {
  const result = parseObject(line);
  if (result === undefined || !('custom_id' in result)) {
    throw new InvalidAnswer('A line of the results is no result.');
  }
  return result as BatchResult;
}

/** The answer about one clip, or its error. */
export function analysisOf(result: BatchResult): Analysis {
  const { custom_id: videoPath, response } = result;
  if (response?.status_code !== 200) {
    return { videoPath, error: fromResult(result) };
  }
  const { body } = response;
  if (typeof body === 'object' && body !== null && 'evidence' in body) {
    return { videoPath, response: body as EmotionResponse };
  }
  const told = "The line's answer is not that of an Emotion-LLaMA server.";
  return { videoPath, error: new InvalidAnswer(told, { status: response.status_code }) };
}

function asLine(name: string, body: string): string {
  const head = { custom_id: name, method: 'POST', url: '/v1/emotion' };
  return `${JSON.stringify(head).slice(0, -1)},"body":${body}}\n`;
}

function nameOfClip(clip: BatchClip): string {
  const name = clip instanceof File ? clip.webkitRelativePath || clip.name : String(clip);
  if (name.length > MOST_NAME) {
    throw new TypeError(
      `A clip's name in a batch has ${MOST_NAME} characters: ${name.slice(0, 80)}`,
    );
  }
  return name;
}
