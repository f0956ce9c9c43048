/** The events of a stream (`text/event-stream`), put together from whatever pieces arrive. */
import { expectType, parse } from './answer.js';
import { fromEvent, InvalidAnswer } from './errors.js';
/** A field that each kind of event has. */
const MARKS = {
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
export async function* readEvents(head, pieces) {
    expectType(head, 'text/event-stream', 'A stream');
    let isDone = false;
    for await (const { name, data } of serverSent(pieces)) {
        const answer = { head, text: data };
        if (name === 'error') {
            throw fromEvent(parse(answer, 'error').error, head);
        }
        if (Object.hasOwn(MARKS, name)) {
            const type = name;
            yield { type, data: parse(answer, MARKS[type]) };
            isDone ||= type === 'done';
        } // else of a later version
    }
    if (!isDone) {
        throw new InvalidAnswer('The stream broke off.', head);
    }
}
/** Names and data of events that have data. */
export async function* serverSent(pieces) {
    let name = '';
    let data = [];
    for await (const line of linesOf(pieces)) {
        const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
        if (field === 'event') {
            name = value;
        }
        else if (field === 'data') {
            data.push(value);
        }
        else if (line === '') {
            if (data.length > 0) {
                yield { name, data: data.join('\n') };
            }
            name = '';
            data = [];
        }
    }
}
/** Whole lines, which may end in CR, LF or both; the LF may come with the next piece. */
export async function* linesOf(pieces) {
    let rest = '';
    let isAfterReturn = false;
    for await (const piece of pieces) {
        if (piece === '') {
            continue; // a character of which only the first bytes have come
        }
        const text = isAfterReturn && piece.startsWith('\n') ? piece.slice(1) : piece;
        isAfterReturn = text.endsWith('\r');
        const lines = (rest + text).split(/\r\n|\r|\n/);
        rest = lines.pop() ?? '';
        yield* lines;
    }
}
