/** Asking again: after which failures, and how long is waited before. */
/**
 * Try once, and `retries` times more after a failure that another attempt may not meet.
 *
 * @param isRepeatable - Whether to try again after a failed connection, which may have come to the
 *   server nevertheless.
 */
export declare function withRetries<T>(attempt: () => Promise<T>, retries: number, signal?: AbortSignal, isRepeatable?: boolean): Promise<T>;
/** The seconds of `Retry-After`, which holds them or a date. */
export declare function askedPause(header: string | null): number | undefined;
/** Twice as long each time, and not in step with others that wait. */
export declare function backoff(failures: number): number;
/** Wait, unless the signal gives it up. */
export declare function pause(seconds: number, signal?: AbortSignal): Promise<void>;
