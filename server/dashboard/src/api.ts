// Requests to the server that the page came from: relative URLs, so that a path prefix of a proxy
// does no harm, and the key in Authorization alone.

import { parse, type Json } from './exact';

// Why a request did not succeed. status 0: there was no answer.
export class Problem extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly retry_after = 0) {
    super(message);
  }
}

interface Credentials {
  key(): string | null;
  refused(sent: string | null): void;  // the key that was sent, which may be another one by now
}
let credentials: Credentials = { key: () => null, refused() {} };
export function use_credentials(it: Credentials): void { credentials = it; }

export const present_key = (): string | null => credentials.key();

export function headers_with(key: string | null, more: Record<string, string> = {}): Record<string, string> {
  return key === null ? more : { ...more, Authorization: `Bearer ${key}` };
}

function text_of(body: Json, name: string): string | null {
  if (body === null || typeof body !== 'object' || Array.isArray(body) || !(name in body)) return null;
  const it = (body as { [name: string]: Json })[name];
  return typeof it === 'string' ? it : null;
}

export async function problem_of(answer: Response, sent: string | null): Promise<Problem> {
  let body: Json = null;
  try {
    body = parse(await answer.text());
  } catch {
    // A proxy answers with pages of its own; the status says enough.
  }
  const said = text_of(body, 'detail') ?? text_of(body, 'title') ?? `The server answered ${answer.status}.`;
  if (answer.status === 401) credentials.refused(sent);
  return new Problem(answer.status, text_of(body, 'code') ?? '', said, Number(answer.headers.get('Retry-After') ?? 0));
}

export interface Asked {
  method?: string; body?: unknown; signal?: AbortSignal; headers?: Record<string, string>;
  exact?: boolean;  // numbers that JavaScript would change become Exact: for orders
}

// The body of an answer with 2xx, or a Problem is thrown.
export async function ask<T>(path: string, asked: Asked = {}): Promise<T> {
  const sent = present_key();
  const headers = headers_with(sent, { Accept: 'application/json', ...asked.headers });
  const init: RequestInit = { method: asked.method ?? 'GET', headers, cache: 'no-store', credentials: 'same-origin' };
  if (asked.signal) init.signal = asked.signal;
  if (asked.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(asked.body);
  }
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch (error) {
    if (asked.signal?.aborted) throw error;
    throw new Problem(0, 'offline', 'The server cannot be reached.');
  }
  if (!answer.ok) throw await problem_of(answer, sent);
  if (answer.status === 204) return undefined as T;
  try {
    const text = await answer.text();
    return (asked.exact ? parse(text) : JSON.parse(text)) as T;
  } catch (error) {
    if (asked.signal?.aborted) throw error;
    throw new Problem(0, 'offline', 'The answer of the server did not arrive whole.');
  }
}

const plain_id = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

// The path of an order. Ids that proxies may change on the way go as ~ and base64url.
export function order_path(id: string): string {
  if (plain_id.test(id) && id !== 'batch' && id !== 'status') return `orders/${encodeURIComponent(id)}`;
  let binary = '';
  for (const byte of new TextEncoder().encode(id)) binary += String.fromCharCode(byte);
  return `orders/~${btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

export function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== '') out.append(name, String(value));
  }
  const text = out.toString();
  return text ? `?${text}` : '';
}
