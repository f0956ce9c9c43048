/** Requests as they go out over `fetch`, and answers as they come in. */
import { type Answer, type Head } from './answer.js';
import { Watch } from './watch.js';
/** An API key or access token, or a function that returns a fresh one for each request. */
export type Key = string | (() => string | Promise<string>);
/** Sends a request as the platform's own `fetch` does, which this may be. */
export type Fetch = (url: string, request: RequestInit) => Promise<Response>;
/** How one client asks. */
export interface Asking {
    apiUrl: string | URL;
    apiKey?: Key;
    /** Seconds. */
    timeout: number;
    maxRetries: number;
    fetch: Fetch;
}
/** A request. */
export interface Outgoing {
    path: string;
    method: 'GET' | 'POST' | 'DELETE';
    /** A string is JSON. */
    body?: string | FormData;
    /** Beside those of every request. */
    headers?: Record<string, string>;
    accept: string;
    signal?: AbortSignal;
    /** Whether it may reach the server twice without harm; by default it may. */
    isRepeatable?: boolean;
}
/** An answer whose body is left to be read. */
export declare class Incoming {
    #private;
    readonly head: Head;
    constructor(response: Response, watch: Watch);
    /** Read it as a whole. */
    answer(): Promise<Answer>;
    /** Read its bytes as a whole. */
    blob(): Promise<Blob>;
    /** Its text in whatever pieces it comes. */
    pieces(): AsyncGenerator<string>;
    close(): void;
}
/** Asks for one client; what it throws is an error of ours or the reason of an abort. */
export declare class Http {
    #private;
    constructor({ apiUrl, apiKey, timeout, maxRetries, fetch }: Asking);
    /** Ask for an answer. */
    answer(outgoing: Outgoing): Promise<Answer>;
    /** Ask for an answer that comes in pieces; it is to be closed. */
    open(outgoing: Outgoing): Promise<Incoming>;
}
