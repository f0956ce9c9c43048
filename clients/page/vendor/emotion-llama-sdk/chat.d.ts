/** Chats about a clip, in the form of OpenAI's API. */
import { type Head } from './answer.js';
import { type Call, type Clip } from './options.js';
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
/**
 * Put a request together.
 *
 * @throws TypeError - No clip, two, no question, or an option of a kind that cannot be sent.
 */
export declare function makeChat({ messages, videoPath, video, signal, ...options }: ChatOptions): Call;
/**
 * Read the pieces of one answer.
 *
 * @throws {@link EmotionLLaMAError} An error midway, a stream that breaks off, or none at all.
 */
export declare function readDeltas(head: Head, pieces: AsyncIterable<string>): AsyncGenerator<ChatDelta>;
