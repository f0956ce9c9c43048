/** Requests as they go out over `fetch`, and answers as they come in. */
import { type Answer, type Head } from './answer.js';
import { Watch } from './watch.js';
/** An API key or access token, or a function that returns a fresh one for each request. */
export type Key = string | (() => string | Promise<string>);
/** A request. */
export interface Outgoing {
    path: string;
    method: 'GET' | 'POST';
    /** A string is JSON. */
    body?: string | FormData;
    /** Beside those of every request. */
    headers?: Record<string, string>;
    accept: string;
    signal?: AbortSignal;
}
/** An answer whose body is left to be read. */
export declare class Incoming {
    #private;
    readonly head: Head;
    constructor(response: Response, watch: Watch);
    /** Read it as a whole. */
    answer(): Promise<Answer>;
    /** Its text in whatever pieces it comes. */
    pieces(): AsyncGenerator<string>;
    close(): void;
}
/** How one client asks; what it throws is an error of ours or the reason of an abort. */
export declare class Http {
    #private;
    constructor(apiUrl: string | URL, apiKey: Key | undefined, timeout: number, retries: number);
    /** Ask for an answer. */
    answer(outgoing: Outgoing): Promise<Answer>;
    /** Ask for an answer that comes in pieces; it is to be closed. */
    open(outgoing: Outgoing): Promise<Incoming>;
}
