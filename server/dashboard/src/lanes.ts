// Where an order's time went, from its history: one piece for each status that it was in.

import type { Entry, Model } from './types';

export interface Lane {
  kind: 'wait' | 'work' | 'fail' | 'done';
  name: string;
  from: number;  // ms since 1970
  until: number;
  running: boolean;
  note: string;
}

// Entries that leave the status as it is, such as annotations, do not begin a new piece.
export function lanes_of(entries: Entry[], model: Model | null, now: number): Lane[] {
  const stages = model?.statuses.stages ?? [{ waiting: 'PENDING', active: 'PROCESSING', failed: 'FAILED' }];
  const out: Lane[] = [];
  let attempt = 0;
  entries.forEach((it, i) => {
    if (it.event === 'delete' || it.event === 'redact') return;
    if (i > 0 && it.from === it.to && it.event !== 'retry') return;
    const end = entries.slice(i + 1).find((later) => later.from !== later.to || later.event === 'delete' || later.event === 'retry');
    const from = new Date(it.at).getTime();
    const until = end ? new Date(end.at).getTime() : now;
    const running = end === undefined;
    if (stages.some((stage) => stage.active === it.to)) {
      attempt += 1;
      const kind = running ? 'work' : stages.some((stage) => stage.waiting === end?.to || stage.failed === end?.to) ? 'fail' : 'done';
      out.push({ kind, name: `attempt ${attempt}`, from, until, running, note: end?.reason ?? '' });
    } else if (stages.some((stage) => stage.waiting === it.to)) {
      const first = it.event === 'create' || it.event === 'retry';
      if (first && it.event === 'retry') attempt = 0;
      out.push({ kind: 'wait', name: it.event === 'create' ? 'waiting' : it.event === 'retry' ? 'retried' : 'back-off', from, until, running, note: '' });
    }
  });
  return out;
}
