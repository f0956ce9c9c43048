/** What can be asked about a clip, as options of the client's methods. */
import type { FramePolicy, Language, Task, TimelineRequest } from './schema.js';
/** A clip itself, which is uploaded; a `File` is a `Blob`. A stream is read to its end first. */
export type Video = Blob | ArrayBufferLike | ArrayBufferView | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;
/**
 * Seconds of each window, and from one's start to the next one's, also as `[2, 1]` or `'2/1'`; one
 * number is both.
 */
export type Timeline = TimelineRequest | readonly [number, number] | string | number;
/** One clip, by name or itself. */
export type Clip = {
    /**
     * A path on the server, a URL or a data URL; in Node also a local file or its `file:` URL,
     * which is uploaded if the server cannot read it.
     */
    videoPath: string | URL;
    video?: undefined;
} | {
    videoPath?: undefined;
    video: Video;
};
/** What is left out is the server's default. */
export interface Options {
    /**
     * `emotion`: probabilities and the model's own answer in words; `reason`: probabilities and an
     * explanation; `both`, the default: all of these.
     */
    task?: Task;
    /** Instead of the checkpoint's own question for an explanation. */
    question?: string;
    /** Another name for `question`, as the original's documents have it. */
    prompt?: string;
    /** What the person says. */
    transcript?: string;
    /** Whether the server's transcription service writes it; by default the operator's choice. */
    transcribe?: boolean;
    /** 2 to 64 to choose from. */
    labels?: Iterable<string>;
    frame?: FramePolicy;
    /** Which sound track is heard, counted from 0; by default the one that a player plays. */
    audioTrack?: number;
    /** A `.npy` file of float32 [3, feature size], or its base64. */
    features?: Uint8Array | ArrayBuffer | string;
    /**
     * Crops of the face in RGB, 112 x 112 x 3 bytes for each frame, one after the other. The clip is
     * then uploaded, so it has to be a local file or its bytes.
     */
    faceCrops?: Uint8Array;
    timeline?: Timeline;
    /** Which of the checkpoint's questions is asked. */
    language?: Language;
    temperature?: number;
    /** Of the explanation; an answer to the question for a label is never longer than 64 either. */
    maxTokens?: number;
    /** An integer. */
    seed?: number;
    /** Gives the request up; its reason is thrown. */
    signal?: AbortSignal;
}
/** Whether task `emotion` comes with an explanation, too; by default it does not. */
export interface Explain {
    explain?: boolean;
}
/** The task that `explain` makes of one. */
export declare function taskOf(task?: Task, explain?: boolean): Task;
/** One request about a clip. */
export interface Call {
    /** Of the route. */
    path: string;
    /** Of the clip, if it goes by one. */
    name?: string;
    video?: Video;
    /** What goes with the clip, which therefore cannot go by its name. */
    crops?: Uint8Array;
    /** The body that names the clip. */
    naming(name: string): string;
    /** The body that holds the clip. */
    holding(clip: Blob): FormData | Promise<string>;
    /** The wanted Content-Type. */
    accept: string;
    signal?: AbortSignal;
}
/**
 * Put a request for an analysis together.
 *
 * @throws TypeError - No clip, two, or an option of a kind that cannot be sent.
 */
export declare function makeCall(options: Clip & Options & {
    stream?: boolean;
}, accept?: string): Call;
/**
 * The name of a clip; undefined for a clip itself.
 *
 * @throws TypeError - No clip, two, or no name.
 */
export declare function nameOf({ videoPath, video }: Clip): string | undefined;
/**
 * Options under the names of the wire. What is no field of ours goes along: the server says so and
 * names it.
 *
 * @throws TypeError - A number that JSON does not carry.
 */
export declare function fieldsOf(options: Record<string, unknown>): Record<string, unknown>;
