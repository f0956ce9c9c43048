/** What is made of an answer: its headers, and its body as what was asked for. */
import { InvalidAnswer } from './errors.js';
import { parseObject } from './json.js';
import { askedPause } from './retry.js';
export function headOf(response) {
    const kind = response.headers.get('Content-Type') ?? '';
    return {
        status: response.status,
        requestId: response.headers.get('X-Request-Id') ?? undefined,
        contentType: kind.replace(/;.*/s, '').trim().toLowerCase(),
        retryAfter: askedPause(response.headers.get('Retry-After')),
    };
}
/**
 * The body of an answer.
 *
 * @param mark - A field without which it is another one's; without it, any object will do.
 * @throws {@link InvalidAnswer} It is another one's.
 */
export function parse({ head, text }, mark) {
    const body = parseObject(text);
    if (body === undefined || (mark && !(mark in body))) {
        const start = JSON.stringify(text.slice(0, 200));
        throw new InvalidAnswer(`No Emotion-LLaMA server of this version answered: ${start}`, head);
    }
    return body;
}
/**
 * See that an answer is of this Content-Type; `name` is what a message calls it.
 *
 * @throws {@link InvalidAnswer} It is of another.
 */
export function expectType(head, kind, name = kind) {
    if (head.contentType !== kind) {
        const came = head.contentType || 'of no type';
        throw new InvalidAnswer(`${name} was requested, but the answer is ${came}.`, head);
    }
}
