/** The events of a stream (`text/event-stream`), put together from whatever pieces arrive. */
import { type Head } from './answer.js';
import type { EmotionEvent, EmotionResponse, ExplanationDelta, TimelineWindow } from './schema.js';
interface Kinds {
    emotion: EmotionEvent;
    'explanation.delta': ExplanationDelta;
    'timeline.window': TimelineWindow;
    done: EmotionResponse;
}
/** A part of the answer: `type` says which, `data` is what came. */
export type StreamEvent = {
    [Type in keyof Kinds]: {
        type: Type;
        data: Kinds[Type];
    };
}[keyof Kinds];
/**
 * Read the events of one stream.
 *
 * @throws {@link EmotionLLaMAError} The event `error`, a stream that breaks off, or none at all.
 */
export declare function readEvents(head: Head, pieces: AsyncIterable<string>): AsyncGenerator<StreamEvent>;
/** Names and data of events that have data. */
export declare function serverSent(pieces: AsyncIterable<string>): AsyncGenerator<{
    name: string;
    data: string;
}>;
/** Whole lines, which may end in CR, LF or both; the LF may come with the next piece. */
export declare function linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string>;
export {};
