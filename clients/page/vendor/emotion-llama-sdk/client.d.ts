/** `EmotionLLaMA`: the client. */
import { Batches } from './batches/batches.js';
import { Files } from './batches/files.js';
import { type ChatDelta, type ChatOptions } from './chat.js';
import { type StreamEvent } from './events.js';
import { type Fetch, type Key } from './http.js';
import { type Analysis } from './many.js';
import { type Clip, type Explain, type Options, type Timeline } from './options.js';
import type { EmotionResponse, ModelList } from './schema.js';
export interface ClientOptions {
    /**
     * The server's address, by default `http://localhost:7889`; `host:port` and one that ends in `/v1`
     * work too.
     */
    apiUrl?: string | URL;
    /**
     * An API key or access token, or what returns a fresh one for each request. In Node by default
     * that of the environment variable EMOTION_LLAMA_API_KEY.
     */
    apiKey?: Key;
    /**
     * Seconds until a silent server is given up, by default 120. The upload of a clip counts, and
     * Node's own `fetch` waits 300 at most.
     */
    timeout?: number;
    /** How often a request is sent again after 429, 503 or a failed connection, by default twice. */
    maxRetries?: number;
    /** Sends requests in place of the platform's `fetch`. */
    fetch?: Fetch;
}
export type AnalyzeOptions = Clip & Options & Explain;
export type StreamOptions = Clip & Options;
export type TimelineTextOptions = Clip & Omit<Options, 'task'> & {
    timeline: Timeline;
    /** By default `csv`. */
    form?: 'csv' | 'vtt';
};
export interface AnalyzeManyOptions extends Options, Explain {
    /** How many are asked about at once, by default 8. */
    concurrency?: number;
    /** What a clip is asked beside what all are, its transcript for example. */
    ownOptions?: (videoPath: string | URL) => Options & Explain;
}
/**
 * Asks an Emotion-LLaMA server.
 *
 * Every method throws an {@link EmotionLLaMAError} of the kind that the answer's status has, or the
 * reason of the signal that gave it up.
 */
export declare class EmotionLLaMA {
    #private;
    /** Files on a server that keeps them. */
    readonly files: Files;
    /** Clips by the thousand, on such a server. */
    readonly batches: Batches;
    constructor({ apiUrl, apiKey, timeout, maxRetries, fetch, }?: ClientOptions);
    /** Say which emotion a clip shows, how probable each label is, and why. */
    analyze({ explain, ...options }: AnalyzeOptions): Promise<EmotionResponse>;
    /** Yield each part of the answer when it is found, and at last the whole. */
    stream(options: StreamOptions): AsyncGenerator<StreamEvent>;
    /**
     * Yield the next answer of a conversation about a clip piece by piece. The clip goes along each
     * time: the server keeps no conversation.
     */
    chat(options: ChatOptions): AsyncGenerator<ChatDelta>;
    /** The timeline alone, as CSV or as WebVTT subtitles. */
    timelineText({ form, ...options }: TimelineTextOptions): Promise<string>;
    /**
     * Yield what becomes of each clip as it comes; a failure is one of them.
     *
     * @param videoPaths - As for {@link analyze}; they are taken as there is room.
     * @param options - What all are asked. Those that are under way are given up with the loop.
     */
    analyzeMany(videoPaths: Iterable<string | URL>, { concurrency, ownOptions, signal, ...options }?: AnalyzeManyOptions): AsyncGenerator<Analysis>;
    /** What the server serves, and what each model is and is not. */
    models({ signal }?: {
        signal?: AbortSignal;
    }): Promise<ModelList>;
}
