/** Requests as they go out over `fetch`, and answers as they come in. */

import { baseUrl } from './address.js';
import { type Answer, type Head, headOf } from './answer.js';
import { fromAnswer } from './errors.js';
import { withRetries } from './retry.js';
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
export class Incoming {
  readonly head: Head;
  readonly #response: Response;
  readonly #watch: Watch;

  constructor(response: Response, watch: Watch) {
    this.head = headOf(response);
    this.#response = response;
    this.#watch = watch;
  }

  /** Read it as a whole. */
  async answer(): Promise<Answer> {
    try {
      return { head: this.head, text: await this.#watch.waitFor(this.#response.text()) };
    } finally {
      this.close();
    }
  }

  /** Read its bytes as a whole. */
  async blob(): Promise<Blob> {
    try {
      return await this.#watch.waitFor(this.#response.blob());
    } finally {
      this.close();
    }
  }

  /** Its text in whatever pieces it comes. */
  async *pieces(): AsyncGenerator<string> {
    const reader = this.#response.body?.getReader();
    const decoder = new TextDecoder();
    while (reader) {
      const { done, value } = await this.#watch.waitFor(reader.read());
      if (done) {
        return;
      }
      yield decoder.decode(value, { stream: true });
    }
  }

  close(): void {
    this.#watch.close();
  }
}

/** Asks for one client; what it throws is an error of ours or the reason of an abort. */
export class Http {
  readonly #apiUrl: string;
  readonly #key: Key | undefined;
  readonly #timeout: number;
  readonly #retries: number;
  readonly #fetch: Fetch;

  constructor({ apiUrl, apiKey, timeout, maxRetries, fetch }: Asking) {
    this.#apiUrl = baseUrl(apiUrl);
    this.#key = apiKey;
    this.#timeout = timeout;
    this.#retries = maxRetries;
    this.#fetch = fetch;
  }

  /** Ask for an answer. */
  answer(outgoing: Outgoing): Promise<Answer> {
    const attempt = async () => (await this.#send(outgoing)).answer();
    return withRetries(attempt, this.#retries, outgoing.signal, outgoing.isRepeatable);
  }

  /** Ask for an answer that comes in pieces; it is to be closed. */
  open(outgoing: Outgoing): Promise<Incoming> {
    return withRetries(() => this.#send(outgoing), this.#retries, outgoing.signal);
  }

  async #send({ path, method, body, accept, signal, ...more }: Outgoing): Promise<Incoming> {
    const headers: Record<string, string> = { ...more.headers, Accept: accept };
    const key = typeof this.#key === 'function' ? await this.#key() : this.#key;
    if (key) {
      headers.Authorization = `Bearer ${key}`;
    }
    if (typeof body === 'string') {
      headers['Content-Type'] = 'application/json'; // a form's own has its boundary
    }
    const watch = new Watch(this.#apiUrl, this.#timeout, signal);
    const send = this.#fetch; // not as a method: `fetch` wants no `this`
    try {
      const request = send(this.#apiUrl + path, { method, headers, body, signal: watch.signal });
      const incoming = new Incoming(await watch.waitFor(request), watch);
      if (incoming.head.status >= 400) {
        throw fromAnswer(await incoming.answer());
      }
      return incoming;
    } catch (error) {
      watch.close();
      throw error;
    }
  }
}
