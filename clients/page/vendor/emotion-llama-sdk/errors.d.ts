/** What the client throws: one class for each status, with the id of the request. */
import type { Answer, Head } from './answer.js';
import type { BatchResult } from './batches/schema.js';
import type { ErrorDetail } from './schema.js';
/** What is known about a failure beside its message. */
export interface ErrorContext {
    status?: number;
    requestId?: string;
    param?: string | null;
    code?: number | string | null;
    retryAfter?: number;
    cause?: unknown;
}
/** Why there is no answer. */
export declare class EmotionLLaMAError extends Error {
    /** The HTTP status; undefined where there was no answer at all. */
    readonly status?: number;
    /** The server's id of the request, for its operator. */
    readonly requestId?: string;
    /** The field of the request that is to blame. */
    readonly param?: string;
    /** What a program can tell the error by: `video_not_found`, `rate_limit_exceeded` and others. */
    readonly code?: number | string;
    /** Seconds after which the server wants to be asked again. */
    readonly retryAfter?: number;
    constructor(message: string, context?: ErrorContext);
    /** The same error with another message. */
    reworded(message: string): EmotionLLaMAError;
}
/** The server cannot be reached or closed the connection. */
export declare class ConnectionFailed extends EmotionLLaMAError {
}
/** The server did not answer in time. */
export declare class RequestTimeout extends EmotionLLaMAError {
}
/** What came is no answer of an Emotion-LLaMA server. */
export declare class InvalidAnswer extends EmotionLLaMAError {
}
/** 400: the clip or a field is no good; `param` names the field. */
export declare class BadRequestError extends EmotionLLaMAError {
}
/** 401: no key or access token, an unknown one, or one that has expired. */
export declare class AuthenticationError extends EmotionLLaMAError {
}
/** 403. */
export declare class PermissionDeniedError extends EmotionLLaMAError {
}
/** 404: no such file in the folders that the server reads, or no such route or model; see `code`. */
export declare class NotFoundError extends EmotionLLaMAError {
}
/** 413: the clip is larger than the server takes. */
export declare class PayloadTooLargeError extends EmotionLLaMAError {
}
/** 415. */
export declare class UnsupportedMediaTypeError extends EmotionLLaMAError {
}
/** 429, after all retries. */
export declare class RateLimitError extends EmotionLLaMAError {
}
/** The server failed. */
export declare class ServerError extends EmotionLLaMAError {
}
/** 503, after all retries: it takes no request now. */
export declare class OverloadedError extends ServerError {
}
/** 504: it took too long. */
export declare class GatewayTimeoutError extends ServerError {
}
/** The error for an answer that is a failure. */
export declare function fromAnswer({ head, text }: Answer): EmotionLLaMAError;
/** The error for a failure in the middle of a stream, which has its code's status. */
export declare function fromEvent(told: ErrorDetail, head: Partial<Head>): EmotionLLaMAError;
/** The error for a line of a batch that was answered with one, or not at all. */
export declare function fromResult({ response, error }: BatchResult): EmotionLLaMAError;
