/** The events of a stream (`text/event-stream`), put together from whatever pieces arrive. */

import { expectType, type Head, parse } from './answer.js';
import { fromEvent, InvalidAnswer } from './errors.js';
import type {
  EmotionEvent,
  EmotionResponse,
  ErrorResponse,
  ExplanationDelta,
  TimelineWindow,
} from './schema.js';

interface Kinds {
  emotion: EmotionEvent;
  'explanation.delta': ExplanationDelta;
  'timeline.window': TimelineWindow;
  done: EmotionResponse;
}

/** A part of the answer: `type` says which, `data` is what came. */
export type StreamEvent = { [Type in keyof Kinds]: { type: Type; data: Kinds[Type] } }[keyof Kinds];

/** A field that each kind of event has. */
const MARKS: { [Type in keyof Kinds]: keyof Kinds[Type] & string } = {
  emotion: 'probabilities',
  'explanation.delta': 'delta',
  'timeline.window': 'start',
  done: 'evidence',
};

/**
 * Read the events of one stream.
 *
 * @throws {@link EmotionLLaMAError} The event `error`, a stream that breaks off, or none at all.
 */
export async function* readEvents(
  head: Head,
  pieces: AsyncIterable<string>,
): AsyncGenerator<StreamEvent> {
  expectType(head, 'text/event-stream', 'A stream');
  let isDone = false;
  for await (const { name, data } of serverSent(pieces)) {
    const answer = { head, text: data };
    if (name === 'error') {
      throw fromEvent(parse<ErrorResponse>(answer, 'error').error, head);
    }
    if (Object.hasOwn(MARKS, name)) {
      const type = name as keyof Kinds;
      yield { type, data: parse(answer, MARKS[type] as never) } as StreamEvent;
      isDone ||= type === 'done';
    } // else of a later version
  }
  if (!isDone) {
    throw new InvalidAnswer('The stream broke off.', head);
  }
}

/** Names and data of events that have data. */
export async function* serverSent(
  pieces: AsyncIterable<string>,
): AsyncGenerator<{ name: string; data: string }> {
  let name = '';
  let data: string[] = [];
  for await (const line of linesOf(pieces)) {
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') {
      name = value;
    } else if (field === 'data') {
      data.push(value);
    } else if (line === '') {
      if (data.length > 0) {
        yield { name, data: data.join('\n') };
      }
      name = '';
      data = [];
    }
  }
}

/** Whole lines, which may end in CR, LF or both; the LF may come with the next piece. */
export async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  let isAfterReturn = false;
  for await (const piece of pieces) {
    if (piece === '') {
      continue; // a character of which only the first bytes have come
    }
    const text: string = isAfterReturn && piece.startsWith('\n') ? piece.slice(1) : piece;
    isAfterReturn = text.endsWith('\r');
    const lines = (rest + text).split(/\r\n|\r|\n/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
