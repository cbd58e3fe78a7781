// The client.

import { send } from './core.js';
import type { CallOptions, Request, Retry, Settings, StreamOptions } from './core.js';
import { EventStream } from './events.js';
import { Operations } from './operations.js';

export interface ClientOptions {
  /** Where the server is, with the prefix of a proxy if there is one: `https://shop.example/api`. */
  url: string;
  /** An API key (`op_…`) or a token, sent as `Authorization: Bearer`. */
  key?: string | undefined;
  /** Milliseconds that one attempt may take; 30,000 if it is left out. */
  timeout?: number | undefined;
  /** When requests are sent again; by default 5 attempts, 200 ms before the second, 30 s at most. */
  retry?: Partial<Retry> | undefined;
  /** Milliseconds that a stream waits before it connects again; by default as the server says. */
  reconnectWait?: number | undefined;
  /** Sent with each request. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** How requests are sent, for tests and unusual networks. */
  fetch?: typeof globalThis.fetch | undefined;
}

/** A client of one server. */
export class Client extends Operations {
  private readonly settings: Settings;

  constructor(options: ClientOptions) {
    super();
    const headers: Record<string, string> = { ...options.headers };
    if (options.key !== undefined) headers['authorization'] = `Bearer ${options.key}`;
    this.settings = {
      url: options.url.replace(/\/+$/, ''),
      headers,
      retry: { attempts: 5, firstWait: 200, longestWait: 30_000, ...options.retry },
      timeout: options.timeout ?? 30_000,
      reconnectWait: options.reconnectWait,
      // Browsers want fetch to be called as a function of the window.
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    };
  }

  protected override call<T>(request: Request, options: CallOptions): Promise<T> {
    return send(this.settings, request, options.signal) as Promise<T>;
  }

  protected override stream(request: Request, options: StreamOptions): EventStream {
    return new EventStream(this.settings, request, options.signal);
  }
}
