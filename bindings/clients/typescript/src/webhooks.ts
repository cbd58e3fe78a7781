// Verifies webhooks as Standard Webhooks 1.0 specifies them.

import { webCrypto } from './core.js';
import { WebhookError } from './errors.js';
import { readJson } from './json.js';
import type { JsonObject } from './json.js';
import type { Event } from './models.js';

/** A message that is genuine. */
export interface WebhookMessage {
  /**
   * The same at each attempt to deliver the event. Answer an id that you have seen with 2xx, and do
   * nothing else.
   */
  readonly id: string;
  /** When this attempt was signed. */
  readonly sentAt: Date;
  readonly body: JsonObject;
  /**
   * The change of an order; undefined of a test message, and of an endpoint whose `content` is
   * `reference`, because their bodies have no order.
   */
  readonly event: Event | undefined;
}

/** As Node gives them (an object with names in lower case), or as fetch does. */
export type WebhookHeaders =
  | Headers
  | Readonly<Record<string, string | readonly string[] | undefined>>;

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (it) => it.charCodeAt(0));
}

function secretBytes(text: string): Uint8Array<ArrayBuffer> {
  const wrong = new RangeError('a secret is `whsec_` and at least 24 bytes in base64');
  if (!text.startsWith('whsec_')) throw wrong;
  try {
    const made = bytesOf(text.slice('whsec_'.length));
    if (made.length >= 24) return made;
  } catch { /* no base64 */ }
  throw wrong;
}

function field(headers: WebhookHeaders, name: string): string {
  if (headers instanceof Headers) return headers.get(name) ?? '';
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof found === 'string' ? found : found?.[0] ?? '';
}

/** Verifies what is sent to one endpoint. */
export class Webhook {
  private readonly secrets: readonly Uint8Array<ArrayBuffer>[];
  private readonly tolerance: number;

  /**
   * @param secrets `whsec_…`, as createWebhook() and rotateWebhook() answered it. While you replace
   *   a secret on your side, give the old one and the new one. A RangeError if one is none; its
   *   message does not have the secret.
   * @param options tolerance: how many seconds the time of a message may be off.
   */
  constructor(secrets: string | readonly string[], options: { tolerance?: number } = {}) {
    this.secrets = (typeof secrets === 'string' ? [secrets] : secrets).map(secretBytes);
    if (this.secrets.length === 0) throw new RangeError('there is no secret');
    this.tolerance = options.tolerance ?? 300;
  }

  /**
   * The message, if it is genuine and recent; if not, the promise is rejected with a WebhookError.
   *
   * @param body the bytes as they came, before anything has parsed them.
   * @param now milliseconds since 1970, for tests; the system's clock if it is left out.
   */
  async verify(
    headers: WebhookHeaders, body: Uint8Array | string, now: number = Date.now(),
  ): Promise<WebhookMessage> {
    const id = field(headers, 'webhook-id');
    const sent = field(headers, 'webhook-timestamp');
    const signatures = field(headers, 'webhook-signature');
    if (id === '' || signatures === '' || !/^\d{1,12}$/.test(sent)) {
      throw new WebhookError('missing',
        'webhook-id, webhook-timestamp or webhook-signature is missing or malformed');
    }
    // The signature first: who cannot sign learns nothing about our clock.
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    if (!await this.isSigned(`${id}.${sent}.`, bytes, signatures)) {
      throw new WebhookError('signature', 'no signature is by a secret of this endpoint');
    }
    if (Math.abs(now / 1000 - Number(sent)) > this.tolerance) {
      throw new WebhookError('timestamp', `it was signed at ${sent}, too far from now`);
    }
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      const made = readJson(text, 'object') as JsonObject;
      const { data } = made;
      const hasOrder = data !== null && typeof data === 'object' && 'order' in data;
      const event = hasOrder ? readJson(text, 'Event') as Event : undefined;
      return { id, sentAt: new Date(Number(sent) * 1000), body: made, event };
    } catch (cause) {
      throw new WebhookError('missing', 'the body has another form', cause);
    }
  }

  /** Web Crypto compares in constant time. */
  private async isSigned(head: string, body: Uint8Array, signatures: string): Promise<boolean> {
    const start = new TextEncoder().encode(head);
    const signed = new Uint8Array(start.length + body.length);
    signed.set(start);
    signed.set(body, start.length);
    const { subtle } = await webCrypto();
    let genuine = false;
    for (const secret of this.secrets) {
      const key = await subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false,
        ['verify']);
      for (const one of signatures.split(' ')) {
        if (!/^v1,[A-Za-z0-9+/]{43}=$/.test(one)) continue;
        if (await subtle.verify('HMAC', key, bytesOf(one.slice(3)), signed)) genuine = true;
      }
    }
    return genuine;
  }
}
