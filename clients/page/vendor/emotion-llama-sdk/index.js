/** The client of an Emotion-LLaMA server. */
export { EmotionLLaMA } from './client.js';
export { AuthenticationError, BadRequestError, ConnectionFailed, EmotionLLaMAError, GatewayTimeoutError, InvalidAnswer, NotFoundError, OverloadedError, PayloadTooLargeError, PermissionDeniedError, RateLimitError, RequestTimeout, ServerError, UnsupportedMediaTypeError, } from './errors.js';
