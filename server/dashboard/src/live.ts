// The live feed (GET /events), read by fetch because an EventSource cannot send a key.

import { headers_with, present_key, problem_of, type Problem } from './api';
import { parse } from './exact';
import { as_problem } from './source';
import type { Change } from './types';

export const shown_max = 50;

export interface Listener {
  open(): void;
  changes(newest_first: Change[], skipped: number): void;
  broken(problem: Problem): void;
}

const offset = (id: string): number => Number(id.split('-')[1] ?? NaN);
const epoch = (id: string): string => id.split('-')[0] ?? '';

// Listens until the signal. Of what comes in one piece it reads the last 50 changes at most, and
// counts those before: a page that shows 50 lines need not read a thousand.
export async function listen(on: Listener, seen: { id: string }, signal: AbortSignal, path = 'events'): Promise<void> {
  let pause = 3000;
  while (!signal.aborted) {
    try {
      const sent = present_key();
      const answer = await fetch(path, {
        headers: headers_with(sent, { Accept: 'text/event-stream' }), cache: 'no-store', credentials: 'same-origin', signal,
      });
      if (!answer.ok || answer.body === null) throw await problem_of(answer, sent);
      on.open();
      pause = 3000;
      await read(answer.body, on, seen);
      throw new Error('The stream of events has ended.');
    } catch (error) {
      if (signal.aborted) return;
      const problem = as_problem(error);
      on.broken(problem);
      if (problem.status === 401 || problem.status === 403 || problem.status === 404) return;
      const wait = Math.max(pause, problem.retry_after * 1000);
      pause = Math.min(pause * 2, 60_000);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, wait);
        signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
      });
    }
  }
}

async function read(body: ReadableStream<Uint8Array>, on: Listener, seen: { id: string }): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    const got: Change[] = [];
    let newest = '';
    for (const block of blocks.slice(-shown_max - 1)) {
      const lines = block.split('\n');
      newest = lines.find((it) => it.startsWith('id: '))?.slice(4) ?? newest;
      const data = lines.find((it) => it.startsWith('data: '));
      if (data && !lines.some((it) => it.startsWith('event: '))) got.push(parse(data.slice(6)) as unknown as Change);
    }
    if (newest === '') continue;
    const missed = seen.id !== '' && epoch(seen.id) === epoch(newest)
      ? Math.max(0, offset(newest) - offset(seen.id) - Math.min(got.length, shown_max)) : 0;
    seen.id = newest;
    on.changes(got.slice(-shown_max).reverse(), missed);
  }
}
