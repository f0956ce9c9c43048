/** The client of an Emotion-LLaMA server. */
export type { ChatDelta, ChatMessage, ChatOptions } from './chat.js';
export type { AnalyzeManyOptions, AnalyzeOptions, ClientOptions, Explain, StreamOptions, TimelineTextOptions, } from './client.js';
export { EmotionLLaMA } from './client.js';
export { AuthenticationError, BadRequestError, ConnectionFailed, EmotionLLaMAError, GatewayTimeoutError, InvalidAnswer, NotFoundError, OverloadedError, PayloadTooLargeError, PermissionDeniedError, RateLimitError, RequestTimeout, ServerError, UnsupportedMediaTypeError, } from './errors.js';
export type { StreamEvent } from './events.js';
export type { Fetch } from './http.js';
export type { Analysis } from './many.js';
export type { Clip, Options, Timeline, Video } from './options.js';
export type * from './schema.js';
