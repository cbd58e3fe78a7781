// A client of the HTTP API of orderproc.

export { Client } from './client.js';
export type { ClientOptions } from './client.js';
export { answerOf } from './core.js';
export type { Answer, CallOptions, Retry, StreamOptions } from './core.js';
export {
  ApiError, ConnectionFailedError, OrderprocError, RequestError, UnexpectedAnswerError, WebhookError,
} from './errors.js';
export type { WebhookFault } from './errors.js';
export { EventStream } from './events.js';
export type { Change, Reset } from './events.js';
export type { Amount, JsonObject, JsonValue } from './json.js';
export type * from './models.js';
export type * from './operations.js';
export { Webhook } from './webhooks.js';
export type { WebhookHeaders, WebhookMessage } from './webhooks.js';
