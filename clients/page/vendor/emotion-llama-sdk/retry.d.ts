/** Asking again: after which failures, and how long is waited before. */
/** Try once, and `retries` times more after a failure that another attempt may not meet. */
export declare function withRetries<T>(attempt: () => Promise<T>, retries: number, signal?: AbortSignal): Promise<T>;
/** The seconds of `Retry-After`, which holds them or a date. */
export declare function askedPause(header: string | null): number | undefined;
/** Twice as long each time, and not in step with others that wait. */
export declare function backoff(failures: number): number;
