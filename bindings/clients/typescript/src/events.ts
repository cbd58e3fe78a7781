// Streams of events (server-sent events) that go on where they broke off.

import { isRetried, pause, Plan, refusal, targetOf, waitAsked } from './core.js';
import type { Request, Settings } from './core.js';
import { ConnectionFailedError, UnexpectedAnswerError } from './errors.js';
import { readJson } from './json.js';
import type { Event } from './models.js';

/**
 * The position from which the stream was asked for is not in the journal of the server: a backup
 * was restored that ends before it, or the journal no longer goes back so far. Forget what you have
 * derived from the events so far, and read it again. The stream goes on from `position`.
 */
export interface Reset {
  readonly kind: 'reset';
  readonly position: string;
}

/** A change of an order. */
export interface Change {
  readonly kind: 'change';
  readonly event: Event;
}

/** A comment comes every 15 s. A connection on which three of them are missing is dead. */
const SILENCE_MAX = 45_000;
const RECONNECT_WAIT = 3_000; // until the server says how long

interface Block { id?: string; event: string; data?: string; retry?: number }

/**
 * Takes a stream apart, as https://html.spec.whatwg.org/#event-stream-interpretation says. A block
 * that is not whole when the stream ends is dropped.
 */
export class Blocks {
  private rest = '';
  private block: Block = { event: '' };
  private begun = false;

  * feed(some: string): Generator<Block, void, undefined> {
    let text = this.rest + some;
    if (!this.begun && text !== '') {
      this.begun = true;
      text = text.replace(/^\ufeff/, '');
    }
    // A CR at the end may be the first half of a CRLF: it waits for what follows.
    const held = text.endsWith('\r') ? '\r' : '';
    const lines = text.slice(0, text.length - held.length).split(/\r\n|\n|\r/);
    this.rest = `${lines.pop() ?? ''}${held}`;
    for (const line of lines) {
      if (line !== '') {
        this.take(line);
      } else {
        const { block } = this;
        this.block = { event: '' };
        yield block;
      }
    }
  }

  private take(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    const { block } = this;
    if (name === 'data') block.data = block.data === undefined ? value : `${block.data}\n${value}`;
    else if (name === 'id' && !value.includes('\0')) block.id = value;
    else if (name === 'event') block.event = value;
    else if (name === 'retry' && /^\d+$/.test(value)) block.retry = Number(value);
  }
}

/**
 * Events as they happen: iterate over it with `for await`. It yields a Change for each change of an
 * order, in order, nothing twice and nothing missing, also when connections break or the server
 * starts again; and a Reset where that cannot be kept. The stream of one order ends when nothing
 * more happens to the order; other streams go on until the loop is left or the signal is aborted,
 * which ends the iteration without an error.
 *
 * The iteration throws ApiError if the server refuses the stream, and ConnectionFailedError if the
 * server cannot be reached when the stream begins. Once it has begun, it connects again for as long
 * as it takes. A stream can be iterated over once.
 */
export class EventStream implements AsyncIterable<Change | Reset> {
  private last: string | undefined;
  private serverWait = RECONNECT_WAIT;
  private connected = false;
  private readonly plan: Plan;

  constructor(
    private readonly settings: Settings,
    private readonly request: Request,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.plan = new Plan(settings.retry, true);
  }

  /** The position of what was yielded last: give it to `after` to go on later. */
  get position(): string | undefined {
    return this.last;
  }

  async* [Symbol.asyncIterator](): AsyncGenerator<Change | Reset, void, undefined> {
    while (!this.ended()) {
      const connection = new AbortController();
      const stop = (): void => connection.abort();
      this.signal?.addEventListener('abort', stop, { once: true });
      let wait: number;
      try {
        const answer = await this.open(connection);
        if (answer.status === 204) return;
        if (answer.status === 200) {
          this.connected = true;
          const before = this.last;
          yield* this.read(answer, connection);
          // A stream of one order ends when the order is settled. Asking once more shows whether it
          // is: the answer is 204 then. Proxies may also end a stream that is not.
          wait = this.last !== before ? 0 : this.ownWait();
        } else {
          wait = await this.refused(answer);
        }
      } catch (error) {
        if (this.ended()) return;
        wait = this.broken(error);
      } finally {
        this.signal?.removeEventListener('abort', stop);
        connection.abort();
      }
      try {
        await pause(wait, this.signal);
      } catch {
        return;
      }
    }
  }

  private ended(): boolean {
    return this.signal?.aborted === true;
  }

  private ownWait(): number {
    return this.settings.reconnectWait ?? this.serverWait;
  }

  private async open(connection: AbortController): Promise<Response> {
    const headers: Record<string, string> = { ...this.settings.headers };
    headers['accept'] = 'text/event-stream';
    if (this.last !== undefined) headers['last-event-id'] = this.last;
    const timer = setTimeout(() => connection.abort(), this.settings.timeout);
    try {
      return await this.settings.fetch(this.settings.url + targetOf(this.request),
        { headers, cache: 'no-store', signal: connection.signal, redirect: 'manual' });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Milliseconds to wait after an answer that is no stream; throws what a stream does not outlive. */
  private async refused(answer: Response): Promise<number> {
    const goesOn = isRetried(answer.status) || answer.status >= 500;
    if (!goesOn || (!this.connected && this.plan.last)) {
      throw refusal(answer, await answer.text(), this.request, { attempts: this.plan.made + 1 });
    }
    const asked = waitAsked(answer.headers);
    const body = await answer.text();
    if (this.connected) return Math.max(this.ownWait(), asked ?? 0);
    const wait = this.plan.nextWait(asked);
    if (wait === undefined) throw refusal(answer, body, this.request, { attempts: this.plan.made });
    return wait;
  }

  /** Milliseconds to wait after a connection that broke. */
  private broken(error: unknown): number {
    if (error instanceof Error && 'attempts' in error) throw error; // one of ours
    if (this.connected) return this.ownWait();
    const wait = this.plan.nextWait(undefined);
    if (wait === undefined) {
      throw new ConnectionFailedError(
        'no stream from the server', { attempts: this.plan.made }, error);
    }
    return wait;
  }

  private async* read(
    answer: Response, connection: AbortController,
  ): AsyncGenerator<Change | Reset, void, undefined> {
    if (answer.body === null) return;
    const reader = answer.body.getReader();
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const blocks = new Blocks();
    for (;;) {
      const timer = setTimeout(() => connection.abort(), SILENCE_MAX);
      const { value, done } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      for (const block of blocks.feed(decoder.decode(value, { stream: true }))) {
        const made = this.take(block);
        if (made !== undefined) yield made;
      }
    }
  }

  private take(block: Block): Change | Reset | undefined {
    if (block.retry !== undefined) this.serverWait = block.retry;
    if (block.id !== undefined && block.id !== '') this.last = block.id;
    if (block.data === undefined) return undefined;
    try {
      if (block.event === 'reset') {
        const { position } = readJson(block.data, 'object') as { position: string };
        this.last = position;
        return { kind: 'reset', position };
      }
      // Kinds of events that are newer than this client are for others.
      if (block.event !== '') return undefined;
      return { kind: 'change', event: readJson(block.data, 'Event') as Event };
    } catch (cause) {
      throw new UnexpectedAnswerError(
        'the stream has an event of another form', 200, { attempts: 1 }, cause);
    }
  }
}
