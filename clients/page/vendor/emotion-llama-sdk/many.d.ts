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
 * Work on items, so many at once, and yield what becomes of each as it comes. They are taken only
 * as there is room.
 *
 * @param work - Must not fail.
 */
export declare function asDone<Item, Result>(items: Iterable<Item>, concurrency: number, work: (item: Item) => Promise<Result>): AsyncGenerator<Result>;
