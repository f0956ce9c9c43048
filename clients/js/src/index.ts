/** The client of an Emotion-LLaMA server. */

export type { Batches, SubmitOptions, WaitOptions } from './batches/batches.js';
export type { Files, ListFilesOptions, UploadOptions } from './batches/files.js';
export type { BatchClip, ClipUpload } from './batches/lines.js';
export type * from './batches/schema.js';
export type { ChatDelta, ChatMessage, ChatOptions } from './chat.js';
export type {
  AnalyzeManyOptions,
  AnalyzeOptions,
  ClientOptions,
  StreamOptions,
  TimelineTextOptions,
} from './client.js';
export { EmotionLLaMA } from './client.js';
export {
  AuthenticationError,
  BadRequestError,
  ConnectionFailed,
  EmotionLLaMAError,
  GatewayTimeoutError,
  InvalidAnswer,
  NotFoundError,
  OverloadedError,
  PayloadTooLargeError,
  PermissionDeniedError,
  RateLimitError,
  RequestTimeout,
  ServerError,
  UnsupportedMediaTypeError,
} from './errors.js';
export type { StreamEvent } from './events.js';
export type { Fetch } from './http.js';
export type { Analysis } from './many.js';
export type { Clip, Explain, Options, Timeline, Video } from './options.js';
export type * from './schema.js';
