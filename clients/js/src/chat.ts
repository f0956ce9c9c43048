/** Chats about a clip, in the form of OpenAI's API. */

import { expectType, type Head, parse } from './answer.js';
import { asDataUrl } from './base64.js';
import { fromEvent, InvalidAnswer } from './errors.js';
import { serverSent } from './events.js';
import { type Call, type Clip, fieldsOf, nameOf } from './options.js';
import type { ErrorResponse } from './schema.js';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** What a chat is asked; what is left out is the server's default. */
export type ChatOptions = Clip & {
  /** The whole conversation so far; the last one is the question. */
  messages: readonly ChatMessage[];
  /** By default the one that is served. */
  model?: string;
  temperature?: number;
  maxTokens?: number;
  /** An integer. */
  seed?: number;
  /** Gives the request up; its reason is thrown. */
  signal?: AbortSignal;
};

/** The next piece of an answer. */
export interface ChatDelta {
  delta: string;
  /** `stop` with the last piece, `length` if the answer was cut off there; null before. */
  finishReason: string | null;
}

/** What we read of an event of OpenAI's. */
interface Chunk {
  choices: { delta?: { content?: string | null }; finish_reason?: string | null }[];
}

/**
 * Put a request together.
 *
 * @throws TypeError - No clip, two, no question, or an option of a kind that cannot be sent.
 */
export function makeChat({ messages, videoPath, video, signal, ...options }: ChatOptions): Call {
  const name = nameOf({ videoPath, video } as Clip);
  const first = messages.findIndex(({ role }) => role === 'user');
  if (first < 0) {
    throw new TypeError('`messages` holds no question: one of them has the role `user`.');
  }
  const fields = { ...fieldsOf(options), stream: true };
  const bodyWith = (url: string) => {
    const about = { type: 'video_url', video_url: { url } };
    const said = messages.map((message, index) =>
      index === first
        ? { ...message, content: [about, { type: 'text', text: message.content }] }
        : message,
    );
    return JSON.stringify({ ...fields, messages: said });
  };
  return {
    path: '/v1/chat/completions',
    name,
    video,
    naming: bodyWith,
    holding: async (clip) => bodyWith(await asDataUrl(clip)),
    accept: 'text/event-stream',
    signal,
  };
}

/**
 * Read the pieces of one answer.
 *
 * @throws {@link EmotionLLaMAError} An error midway, a stream that breaks off, or none at all.
 */
export async function* readDeltas(
  head: Head,
  pieces: AsyncIterable<string>,
): AsyncGenerator<ChatDelta> {
  expectType(head, 'text/event-stream', 'A stream');
  for await (const { data } of serverSent(pieces)) {
    if (data === '[DONE]') {
      return;
    }
    const answer = { head, text: data };
    const event = parse<object>(answer);
    if ('error' in event) {
      throw fromEvent((event as ErrorResponse).error, head);
    }
    for (const { delta, finish_reason } of parse<Chunk>(answer, 'choices').choices) {
      if (delta?.content || finish_reason) {
        yield { delta: delta?.content ?? '', finishReason: finish_reason ?? null };
      }
    }
  }
  throw new InvalidAnswer('The stream broke off.', head);
}
