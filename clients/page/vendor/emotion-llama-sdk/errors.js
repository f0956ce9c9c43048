/** What the client throws: one class for each status, with the id of the request. */
import { statusOfCode } from './codes.js';
import { parseObject } from './json.js';
/** Why there is no answer. */
export class EmotionLLaMAError extends Error {
    /** The HTTP status; undefined where there was no answer at all. */
    status;
    /** The server's id of the request, for its operator. */
    requestId;
    /** The field of the request that is to blame. */
    param;
    /** What a program can tell the error by: `video_not_found`, `rate_limit_exceeded` and others. */
    code;
    /** Seconds after which the server wants to be asked again. */
    retryAfter;
    constructor(message, context = {}) {
        super(message, { cause: context.cause });
        this.name = new.target.name;
        this.status = context.status;
        this.requestId = context.requestId;
        this.param = context.param ?? undefined;
        this.code = context.code ?? undefined;
        this.retryAfter = context.retryAfter;
    }
    /** The same error with another message. */
    reworded(message) {
        const { status, requestId, param, code, retryAfter } = this;
        const context = { status, requestId, param, code, retryAfter, cause: this };
        return new this.constructor(message, context);
    }
}
/** The server cannot be reached or closed the connection. */
export class ConnectionFailed extends EmotionLLaMAError {
}
/** The server did not answer in time. */
export class RequestTimeout extends EmotionLLaMAError {
}
/** What came is no answer of an Emotion-LLaMA server. */
export class InvalidAnswer extends EmotionLLaMAError {
}
/** 400: the clip or a field is no good; `param` names the field. */
export class BadRequestError extends EmotionLLaMAError {
}
/** 401: no key or access token, an unknown one, or one that has expired. */
export class AuthenticationError extends EmotionLLaMAError {
}
/** 403. */
export class PermissionDeniedError extends EmotionLLaMAError {
}
/** 404: no such file in the folders that the server reads, or no such route or model; see `code`. */
export class NotFoundError extends EmotionLLaMAError {
}
/** 413: the clip is larger than the server takes. */
export class PayloadTooLargeError extends EmotionLLaMAError {
}
/** 415. */
export class UnsupportedMediaTypeError extends EmotionLLaMAError {
}
/** 429, after all retries. */
export class RateLimitError extends EmotionLLaMAError {
}
/** The server failed. */
export class ServerError extends EmotionLLaMAError {
}
/** 503, after all retries: it takes no request now. */
export class OverloadedError extends ServerError {
}
/** 504: it took too long. */
export class GatewayTimeoutError extends ServerError {
}
const CLASSES = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    413: PayloadTooLargeError,
    415: UnsupportedMediaTypeError,
    429: RateLimitError,
    503: OverloadedError,
    504: GatewayTimeoutError,
};
/** The error for an answer that is a failure. */
export function fromAnswer({ head, text }) {
    const body = parseObject(text);
    if (typeof body?.error?.message === 'string') {
        return fromDetail(body.error, head);
    }
    // A proxy's page, say.
    const start = JSON.stringify(text.slice(0, 200));
    const message = `The server answered with status ${head.status}: ${start}`;
    return new (classOf(head.status))(message, head);
}
/** The error for a failure in the middle of a stream, which has its code's status. */
export function fromEvent(told, head) {
    return fromDetail(told, { ...head, status: statusOfCode(told.code) });
}
/** The error for a line of a batch that was answered with one, or not at all. */
export function fromResult({ response, error }) {
    if (!response) {
        const told = 'A line of the results has neither a response nor an error.';
        return error
            ? new EmotionLLaMAError(error.message, { code: error.code })
            : new InvalidAnswer(told);
    }
    const { status_code: status, request_id: requestId, body } = response;
    return fromAnswer({ head: { status, requestId, contentType: '' }, text: JSON.stringify(body) });
}
function fromDetail(told, head) {
    const { message, param, code } = told;
    return new (classOf(head.status))(message, { ...head, param, code });
}
function classOf(status) {
    if (status === undefined) {
        return EmotionLLaMAError;
    }
    return CLASSES[status] ?? (status >= 500 ? ServerError : EmotionLLaMAError);
}
