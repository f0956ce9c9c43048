/** `EmotionLLaMA`: the client. */

import { expectType, parse } from './answer.js';
import { Batches } from './batches/batches.js';
import { Files } from './batches/files.js';
import { type ChatDelta, type ChatOptions, makeChat, readDeltas } from './chat.js';
import { pack } from './crops.js';
import { EmotionLLaMAError } from './errors.js';
import { readEvents, type StreamEvent } from './events.js';
import { type Fetch, Http, type Incoming, type Key, type Outgoing } from './http.js';
import { type Analysis, underWay } from './many.js';
import { environment, localFile } from './node.js';
import {
  type Call,
  type Clip,
  type Explain,
  makeCall,
  type Options,
  type Timeline,
  taskOf,
} from './options.js';
import type { EmotionResponse, ModelList } from './schema.js';
import { sessionHeaders } from './session.js';
import { blobOf } from './upload.js';

/** The codes of errors by which a server says that it cannot read a path. */
const NOT_READABLE: unknown[] = ['video_not_readable', 'video_not_found'];

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

export type TimelineTextOptions = Clip &
  Omit<Options, 'task'> & {
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
export class EmotionLLaMA {
  /** Files on a server that keeps them. */
  readonly files: Files;
  /** Clips by the thousand, on such a server. */
  readonly batches: Batches;
  readonly #http: Http;
  /** Folders that the server cannot read: their files are uploaded at once. */
  readonly #notReadable = new Set<string>();

  constructor({
    apiUrl = 'http://localhost:7889',
    apiKey = environment('EMOTION_LLAMA_API_KEY'),
    timeout = 120,
    maxRetries = 2,
    fetch = (url, request) => globalThis.fetch(url, request),
  }: ClientOptions = {}) {
    this.#http = new Http({ apiUrl, apiKey, timeout, maxRetries, fetch });
    this.files = new Files(this.#http);
    this.batches = new Batches(this.#http, this.files);
  }

  /** Say which emotion a clip shows, how probable each label is, and why. */
  async analyze({ explain, ...options }: AnalyzeOptions): Promise<EmotionResponse> {
    const call = makeCall({ ...options, task: taskOf(options.task, explain) });
    const answer = await this.#ask(call, (outgoing) => this.#http.answer(outgoing));
    return parse<EmotionResponse>(answer, 'evidence');
  }

  /** Yield each part of the answer when it is found, and at last the whole. */
  async *stream(options: StreamOptions): AsyncGenerator<StreamEvent> {
    yield* this.#parts(makeCall({ task: 'both', ...options, stream: true }), readEvents);
  }

  /**
   * Yield the next answer of a conversation about a clip piece by piece. The clip goes along each
   * time: the server keeps no conversation.
   */
  async *chat(options: ChatOptions): AsyncGenerator<ChatDelta> {
    yield* this.#parts(makeChat(options), readDeltas);
  }

  /** The timeline alone, as CSV or as WebVTT subtitles. */
  async timelineText({ form = 'csv', ...options }: TimelineTextOptions): Promise<string> {
    const call = makeCall({ ...options, task: 'emotion' }, `text/${form}`);
    const answer = await this.#ask(call, (outgoing) => this.#http.answer(outgoing));
    expectType(answer.head, call.accept);
    return answer.text;
  }

  /**
   * Yield what becomes of each clip as it comes; a failure is one of them.
   *
   * @param videoPaths - As for {@link analyze}; they are taken as there is room.
   * @param options - What all are asked. Those that are under way are given up with the loop.
   */
  async *analyzeMany(
    videoPaths: Iterable<string | URL>,
    { concurrency = 8, ownOptions, signal, ...options }: AnalyzeManyOptions = {},
  ): AsyncGenerator<Analysis> {
    const one = async (videoPath: string | URL, signal: AbortSignal): Promise<Analysis> => {
      try {
        const asked = { ...options, ...ownOptions?.(videoPath), videoPath, signal };
        return { videoPath, response: await this.analyze(asked) };
      } catch (error) {
        return { videoPath, error };
      }
    };
    yield* underWay(videoPaths, concurrency, one, signal);
  }

  /** What the server serves, and what each model is and is not. */
  async models({ signal }: { signal?: AbortSignal } = {}): Promise<ModelList> {
    const accept = 'application/json';
    const answer = await this.#http.answer({ path: '/v1/models', method: 'GET', accept, signal });
    return parse<ModelList>(answer, 'data');
  }

  /** Ask for a stream and yield its parts. */
  async *#parts<Part>(
    call: Call,
    read: (head: Incoming['head'], pieces: AsyncIterable<string>) => AsyncIterable<Part>,
  ): AsyncGenerator<Part> {
    const incoming = await this.#ask(call, (outgoing) => this.#http.open(outgoing));
    try {
      for await (const part of read(incoming.head, incoming.pieces())) {
        call.signal?.throwIfAborted(); // it may have come in one piece with those before
        yield part;
      }
    } finally {
      incoming.close();
    }
  }

  /** Ask about a clip; a local file goes by its path where the server can read it. */
  async #ask<T>(call: Call, send: (outgoing: Outgoing) => Promise<T>): Promise<T> {
    const { path, video, accept, signal } = call;
    const outgoing = { path, method: 'POST', accept, signal } as const;
    const upload = async (alone: Blob) => {
      const clip = call.crops == null ? alone : await pack(alone, call.crops);
      const [headers, body] = await Promise.all([sessionHeaders(clip), call.holding(clip)]);
      return send({ ...outgoing, headers, body });
    };
    if (video != null) {
      return upload(await blobOf(video));
    }
    const { file, reason } = await localFile(call.name ?? '');
    if (call.crops != null) {
      if (!file) {
        throw new TypeError(reason ?? 'A clip with `faceCrops` is a local file or its bytes.');
      }
      return upload(await file.open());
    }
    if (!file || !this.#notReadable.has(file.folder)) {
      const name = file?.path ?? call.name ?? '';
      const headers = await sessionHeaders(name);
      try {
        return await send({ ...outgoing, headers, body: call.naming(name) });
      } catch (error) {
        if (!(error instanceof EmotionLLaMAError) || !NOT_READABLE.includes(error.code)) {
          throw error;
        }
        if (!file) {
          throw reason ? error.reworded(reason) : error;
        }
        this.#notReadable.add(file.folder);
      }
    }
    return upload(await file.open());
  }
}
