/** Asking again: after which failures, and how long is waited before. */
import { ConnectionFailed, OverloadedError, RateLimitError, } from './errors.js';
/** Seconds, whatever a server asks for. */
const LONGEST_PAUSE = 60;
/**
 * Try once, and `retries` times more after a failure that another attempt may not meet.
 *
 * @param isRepeatable - Whether to try again after a failed connection, which may have come to the
 *   server nevertheless.
 */
export async function withRetries(attempt, retries, signal, isRepeatable = true) {
    for (let failures = 0;; failures += 1) {
        try {
            return await attempt();
        }
        catch (error) {
            if (failures >= retries || !mayPass(error, isRepeatable)) {
                throw error;
            }
            await pause(error.retryAfter ?? backoff(failures), signal);
        }
    }
}
/** The seconds of `Retry-After`, which holds them or a date. */
export function askedPause(header) {
    const asked = header?.trim() ?? '';
    let seconds;
    if (/^\d+$/.test(asked)) {
        seconds = Number(asked);
    }
    else if (asked.endsWith(' GMT')) {
        seconds = (Date.parse(asked) - Date.now()) / 1000;
    }
    else {
        return undefined;
    }
    return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), LONGEST_PAUSE);
}
/** Twice as long each time, and not in step with others that wait. */
export function backoff(failures) {
    return Math.min(0.5 * 2 ** failures, 8) * (0.5 + Math.random() / 2);
}
function mayPass(error, isRepeatable) {
    return ((isRepeatable && error instanceof ConnectionFailed) ||
        error instanceof RateLimitError ||
        error instanceof OverloadedError);
}
/** Wait, unless the signal gives it up. */
export function pause(seconds, signal) {
    return new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const stop = () => {
            clearTimeout(timer);
            reject(signal?.reason);
        };
        const timer = setTimeout(() => {
            signal?.removeEventListener('abort', stop);
            resolve();
        }, seconds * 1000);
        signal?.addEventListener('abort', stop);
    });
}
