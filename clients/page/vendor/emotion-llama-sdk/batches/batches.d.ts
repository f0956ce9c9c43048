/** `client.batches`: the requests about many clips as one job of the server. */
import type { Http } from '../http.js';
import { type Analysis } from '../many.js';
import { type Explain, type Options } from '../options.js';
import { type Files } from './files.js';
import { type BatchClip, type ClipUpload } from './lines.js';
import type { Batch } from './schema.js';
export interface SubmitOptions extends Options, Explain {
    /** What a clip is asked beside what all are, its transcript for example. */
    ownOptions?: (clip: BatchClip) => Options & Explain;
    /** Hours after which no further clip is analysed, `1h` to `168h`, by default `24h`. */
    completionWindow?: string;
    /** Up to 16 texts that the batch keeps. */
    metadata?: Record<string, string>;
    /** How many are uploaded at once, by default 8. */
    concurrency?: number;
    /**
     * Is given each clip when it is uploaded or has failed. One that failed is left out; without this
     * function its error is thrown.
     */
    onUpload?: (upload: ClipUpload) => void;
}
export interface WaitOptions {
    /** Seconds between two requests, by default 2. */
    every?: number;
    /** Is given the batch after each request. */
    onUpdate?: (batch: Batch) => void;
    signal?: AbortSignal;
}
interface Signal {
    signal?: AbortSignal;
}
/** Has the requests about many clips answered as one job, which needs no client meanwhile. */
export declare class Batches {
    #private;
    constructor(http: Http, files: Files);
    /**
     * Upload clips, and submit one request about each as a batch. The server deletes the uploaded clips
     * a day after the completion window.
     *
     * @param clips - `File`s and, in Node, local files, which are uploaded; URLs, paths on the server and
     *   ids of uploaded files, which are not.
     * @throws TypeError - There are no clips or too many, or an option cannot be sent.
     */
    submit(clips: Iterable<BatchClip>, { ownOptions, completionWindow, metadata, concurrency, onUpload, signal, ...options }?: SubmitOptions): Promise<Batch>;
    /** A batch, named by its id or by itself, as it is now. */
    retrieve(batch: Batch | string, { signal }?: Signal): Promise<Batch>;
    /** Yield your batches, the newest first. */
    list({ signal }?: Signal): AsyncGenerator<Batch>;
    /** The batch when it is over: completed, failed, expired or cancelled. */
    wait(batch: Batch | string, { every, onUpdate, signal }?: WaitOptions): Promise<Batch>;
    /**
     * Yield what became of each clip of a batch that is over; a failure is one of them. `videoPath` is
     * the clip's name as submitted. The answers come first, in no order.
     *
     * @throws TypeError - The batch goes on, or was not made by {@link submit} but for chats.
     */
    results(batch: Batch | string, { signal }?: Signal): AsyncGenerator<Analysis>;
    /** End a batch; what is answered until then is kept. */
    cancel(batch: Batch | string, { signal }?: Signal): Promise<Batch>;
}
export {};
