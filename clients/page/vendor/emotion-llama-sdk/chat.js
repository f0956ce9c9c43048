/** Chats about a clip, in the form of OpenAI's API. */
import { expectType, parse } from './answer.js';
import { asDataUrl } from './base64.js';
import { fromEvent, InvalidAnswer } from './errors.js';
import { serverSent } from './events.js';
import { fieldsOf, nameOf } from './options.js';
/**
 * Put a request together.
 *
 * @throws TypeError - No clip, two, no question, or an option of a kind that cannot be sent.
 */
export function makeChat({ messages, videoPath, video, signal, ...options }) {
    const name = nameOf({ videoPath, video });
    const first = messages.findIndex(({ role }) => role === 'user');
    if (first < 0) {
        throw new TypeError('`messages` holds no question: one of them has the role `user`.');
    }
    const fields = { ...fieldsOf(options), stream: true };
    const bodyWith = (url) => {
        const about = { type: 'video_url', video_url: { url } };
        const said = messages.map((message, index) => index === first
            ? { ...message, content: [about, { type: 'text', text: message.content }] }
            : message);
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
export async function* readDeltas(head, pieces) {
    expectType(head, 'text/event-stream', 'A stream');
    for await (const { data } of serverSent(pieces)) {
        if (data === '[DONE]') {
            return;
        }
        const answer = { head, text: data };
        const event = parse(answer);
        if ('error' in event) {
            throw fromEvent(event.error, head);
        }
        for (const { delta, finish_reason } of parse(answer, 'choices').choices) {
            if (delta?.content || finish_reason) {
                yield { delta: delta?.content ?? '', finishReason: finish_reason ?? null };
            }
        }
    }
    throw new InvalidAnswer('The stream broke off.', head);
}
