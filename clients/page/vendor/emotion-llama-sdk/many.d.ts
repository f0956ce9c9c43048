/** Many clips: how they are worked on at once, and what becomes of each. */
import type { EmotionResponse } from './schema.js';
/** The answer about a clip, or why there is none. */
export type Analysis = {
    videoPath: string | URL;
    response: EmotionResponse;
    error?: undefined;
} | {
    videoPath: string | URL;
    response?: undefined;
    error: unknown;
};
/**
 * Do the same with work that is given up with the loop, or by a signal, whose reason is thrown.
 *
 * @param work - Must not fail; its signal gives it up.
 */
export declare function underWay<Item, Result>(items: Iterable<Item>, concurrency: number, work: (item: Item, signal: AbortSignal) => Promise<Result>, signal?: AbortSignal): AsyncGenerator<Result>;
