// What can go wrong.

import type { Problem, ProblemCode } from './models.js';

export interface RequestFacts {
  /** The key that the request carried. If it is sent again with this key, nothing is done twice. */
  readonly idempotencyKey?: string | undefined;
  /** How often the request was sent. */
  readonly attempts: number;
}

/** All errors of this package. */
export class OrderprocError extends Error {
  override name = 'OrderprocError';
}

/** A request got no answer that fulfils it. */
export class RequestError extends OrderprocError {
  override name = 'RequestError';
  readonly idempotencyKey: string | undefined;
  readonly attempts: number;

  constructor(message: string, facts: RequestFacts, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.idempotencyKey = facts.idempotencyKey;
    this.attempts = facts.attempts;
  }
}

/**
 * The server was not reached, or the connection broke before the whole answer came. Whether the
 * server carried the request out is not known.
 */
export class ConnectionFailedError extends RequestError {
  override name = 'ConnectionFailedError';
}

/**
 * The answer is not one that this API gives: it may come from a proxy, from another program, or
 * from a server whose orders have another model than this client was generated for.
 */
export class UnexpectedAnswerError extends RequestError {
  override name = 'UnexpectedAnswerError';

  constructor(message: string, readonly status: number, facts: RequestFacts, cause?: unknown) {
    super(message, facts, cause);
  }
}

/** The server refused the request with a problem document (RFC 9457): `code` says why. */
export class ApiError extends RequestError {
  override name = 'ApiError';
  /** A server that is newer than this client may have further codes. */
  readonly code: ProblemCode;
  readonly status: number;

  constructor(
    /** The whole document: detail, errors, request_id and others. */
    readonly problem: Problem,
    /** Seconds that the server asks to wait before the request is sent again. */
    readonly retryAfter: number | undefined,
    facts: RequestFacts,
  ) {
    const errors = (problem.errors ?? []).map((it) => `; ${it.pointer} ${it.detail}`).join('');
    super(`${problem.status} ${problem.code}: ${problem.detail ?? problem.title}${errors}`
      + ` (request ${problem.request_id})`, facts);
    this.code = problem.code;
    this.status = problem.status;
  }
}

/** Why a webhook is not believed; see webhooks.ts. */
export type WebhookFault = 'missing' | 'timestamp' | 'signature';

/** A message that claims to be a webhook and must not be believed. */
export class WebhookError extends OrderprocError {
  override name = 'WebhookError';

  constructor(readonly reason: WebhookFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}
