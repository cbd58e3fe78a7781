// What a request and an answer are, and how a request is sent until it is answered.

import { ApiError, ConnectionFailedError, RequestError, UnexpectedAnswerError } from './errors.js';
import type { RequestFacts } from './errors.js';
import { readJson, writeJson } from './json.js';
import type { Problem } from './models.js';

export interface CallOptions {
  /** Gives the call up. */
  signal?: AbortSignal | undefined;
}

export interface StreamOptions extends CallOptions {}

/** results: how an answer is read, by status; the other statuses are errors. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly results?: Readonly<Record<number, string | Readonly<Record<string, string>> | null>>;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly ifVersion?: number | undefined;
  readonly keyed?: boolean;
  readonly idempotencyKey?: string | undefined;
}

/**
 * When a request is sent again. Only a request that can be repeated is: one that changes nothing,
 * PUT and DELETE, and one that carries an Idempotency-Key. It is sent again after 429, 502, 503 and
 * 504, and if there was no answer.
 */
export interface Retry {
  /** How often a request is sent at most; 1 turns retries off. */
  readonly attempts: number;
  /**
   * Milliseconds before the second attempt, unless the server says how long (Retry-After). The wait
   * doubles from attempt to attempt, up to longestWait, and is shortened by up to a half, at
   * random.
   */
  readonly firstWait: number;
  /** If Retry-After asks for more milliseconds than this, the request fails at once. */
  readonly longestWait: number;
}

/** What came with a value that a method of a client returned. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The id by which the server's log knows the request. */
  readonly requestId: string | undefined;
  /** The position in the feed up to which the answer is at least true, for `after` of a stream. */
  readonly feedPosition: string | undefined;
  /** Whether this is the answer to an earlier request with the same Idempotency-Key. */
  readonly replayed: boolean;
}

const answers = new WeakMap<object, Answer>();

/** What came with a value that a method of a client returned; undefined of any other value. */
export function answerOf(value: object): Answer | undefined {
  return answers.get(value);
}

export interface Settings {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly retry: Retry;
  readonly timeout: number;
  readonly reconnectWait: number | undefined;
  readonly fetch: typeof globalThis.fetch;
}

const RETRIED = [429, 502, 503, 504];
const SAFE = ['GET', 'HEAD', 'PUT', 'DELETE'];

/** Node before 19 has Web Crypto in a module. A name in a variable is left alone by bundlers. */
export async function webCrypto(): Promise<Crypto> {
  if (globalThis.crypto !== undefined) return globalThis.crypto;
  const name = 'node:crypto';
  const module = await import(/* @vite-ignore */ /* webpackIgnore: true */ name) as
    { webcrypto: Crypto };
  return module.webcrypto;
}

async function newKey(): Promise<string> {
  const bytes = (await webCrypto()).getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (it) => it.toString(16).padStart(2, '0')).join('');
}

export function pick(from: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}

/**
 * A part of a path. Proxies spoil ids with other characters than these, even if they are
 * percent-encoded: such an id has a second form in base64url.
 */
function segment(name: string, value: string): string {
  if (name === 'order_id' && value !== '' && !/^[A-Za-z0-9][A-Za-z0-9._:-]*$/.test(value)) {
    const bytes = Array.from(new TextEncoder().encode(value), (it) => String.fromCharCode(it));
    return `~${btoa(bytes.join('')).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')}`;
  }
  if (['', '.', '..'].includes(value)) {
    throw new RangeError(`${name} is '${value}', which no path can have`);
  }
  return encodeURIComponent(value);
}

function text(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value);
}

export function targetOf(it: Request): string {
  const path = it.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    segment(name, it.parameters?.[name] ?? ''));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(it.query ?? {})) {
    for (const one of Array.isArray(value) ? value as unknown[] : [value]) {
      if (one !== undefined && one !== null) query.append(name, text(one));
    }
  }
  const made = query.toString();
  return made === '' ? path : `${path}?${made}`;
}

function headersOf(it: Request, key: string | undefined): Record<string, string> {
  const made: Record<string, string> = { accept: 'application/json, application/problem+json' };
  for (const [name, value] of Object.entries(it.headers ?? {})) {
    if (value !== undefined && value !== null) made[name] = text(value);
  }
  if (it.body !== undefined && it.contentType !== undefined) made['content-type'] = it.contentType;
  if (it.ifVersion !== undefined) made['if-match'] = `"${it.ifVersion}"`;
  if (key !== undefined) made['idempotency-key'] = key;
  return made;
}

/** Milliseconds of Retry-After, which may also be a date. */
export function waitAsked(headers: Headers): number | undefined {
  const asked = headers.get('retry-after');
  if (asked === null) return undefined;
  if (/^\d+$/.test(asked)) return Number(asked) * 1000;
  const at = Date.parse(asked);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

/** Counts the attempts of one request, and says how long to wait for the next one. */
export class Plan {
  made = 0;

  constructor(private readonly retry: Retry, private readonly repeatable: boolean) {}

  get last(): boolean {
    return this.made + 1 >= (this.repeatable ? this.retry.attempts : 1);
  }

  /** Milliseconds to wait after an attempt that may be repeated; undefined: it was the last one. */
  nextWait(asked: number | undefined): number | undefined {
    const { last } = this;
    this.made += 1;
    if (last) return undefined;
    if (asked !== undefined) return asked <= this.retry.longestWait ? asked : undefined;
    const most = Math.min(this.retry.firstWait * 2 ** (this.made - 1), this.retry.longestWait);
    return most * (0.5 + Math.random() / 2);
  }
}

/** Waits, unless the signal says that nobody does any more: then it throws the signal's reason. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** The error for an answer that is none of the request's results. */
export function refusal(
  answer: Response, body: string, request: Request, facts: RequestFacts,
): RequestError {
  const kind = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
  try {
    if (kind !== 'application/problem+json') throw new TypeError(`the content is ${kind}`);
    const asked = waitAsked(answer.headers);
    return new ApiError(readJson(body, 'Problem') as Problem,
      asked === undefined ? undefined : asked / 1000, facts);
  } catch (cause) {
    return new UnexpectedAnswerError(
      `${request.method} ${request.path}: status ${answer.status} with `
      + `${kind === '' ? 'no content' : kind}, which is no answer of this API`,
      answer.status, facts, cause);
  }
}

export function isRetried(status: number): boolean {
  return RETRIED.includes(status);
}

/** One attempt: the answer and its whole text. */
async function attempt(
  settings: Settings, url: string, what: RequestInit, signal: AbortSignal | undefined,
): Promise<[Response, string]> {
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(new Error('the time is up')), settings.timeout);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const answer = await settings.fetch(url, { ...what, signal: controller.signal });
    return [answer, await answer.text()];
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

function read(request: Request, answer: Response, body: string, facts: RequestFacts): unknown {
  const shape = request.results?.[answer.status];
  if (shape === null) return undefined;
  try {
    const made = readJson(body, shape ?? '');
    if (made !== null && typeof made === 'object') {
      const { headers } = answer;
      answers.set(made, {
        status: answer.status,
        headers,
        requestId: headers.get('x-request-id') ?? undefined,
        feedPosition: headers.get('feed-position') ?? undefined,
        replayed: headers.get('idempotency-replayed') === 'true',
      });
    }
    return made;
  } catch (cause) {
    throw new UnexpectedAnswerError(
      `${request.method} ${request.path}: the answer has another form`,
      answer.status, facts, cause);
  }
}

/** Sends a request, again if need be, and reads the answer. */
export async function send(
  settings: Settings, request: Request, signal: AbortSignal | undefined,
): Promise<unknown> {
  const key = request.keyed === true ? request.idempotencyKey ?? await newKey() : undefined;
  const plan = new Plan(settings.retry, SAFE.includes(request.method) || key !== undefined);
  // Made once: all attempts are the same request, whatever becomes of the caller's objects.
  const url = settings.url + targetOf(request);
  const what: RequestInit = {
    method: request.method,
    headers: new Headers({ ...settings.headers, ...headersOf(request, key) }),
    body: request.body === undefined ? null : writeJson(request.body),
    redirect: 'manual',
  };
  for (;;) {
    signal?.throwIfAborted();
    let wait: number | undefined;
    try {
      const [answer, body] = await attempt(settings, url, what, signal);
      const facts = { idempotencyKey: key, attempts: plan.made + 1 };
      const wanted = request.results?.[answer.status] !== undefined;
      if (wanted) return read(request, answer, body, facts);
      wait = isRetried(answer.status) ? plan.nextWait(waitAsked(answer.headers)) : undefined;
      if (wait === undefined) throw refusal(answer, body, request, facts);
    } catch (cause) {
      if (cause instanceof RequestError) throw cause;
      signal?.throwIfAborted();
      wait = plan.nextWait(undefined);
      if (wait === undefined) {
        throw new ConnectionFailedError(`${request.method} ${request.path}: no answer`,
          { idempotencyKey: key, attempts: plan.made }, cause);
      }
    }
    await pause(wait, signal);
  }
}
