/** The error for a request that a server did not answer, with the cure where it is known. */
import { type EmotionLLaMAError, RequestTimeout } from './errors.js';
/**
 * The error for a request that `server` did not answer.
 *
 * @param error - What `fetch` threw; a browser does not tell its cause.
 */
export declare function unanswered(error: unknown, server: string): EmotionLLaMAError;
/** The error for a server that was silent for too long. */
export declare function outOfTime(error: unknown, server: string): RequestTimeout;
