/** The lines of a batch, one for each clip, and what the lines of its results mean. */
import type { Analysis } from '../many.js';
import { type Options } from '../options.js';
import type { BatchResult } from './schema.js';
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
export declare function linesOfClips(clips: Iterable<BatchClip>, optionsOf: (clip: BatchClip) => Options): Map<string, Asked>;
/**
 * Seconds that an uploaded clip is kept: a day longer than the lines may take.
 *
 * @throws TypeError - The window is none.
 */
export declare function clipSeconds(completionWindow: string): number;
/**
 * The result that a line is.
 *
 * @throws {@link InvalidAnswer} It is none.
 */
export declare function resultOf(line: string): BatchResult;
/** The answer about one clip, or its error. */
export declare function analysisOf(result: BatchResult): Analysis;
