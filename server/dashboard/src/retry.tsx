// Retrying many dead letters: how many first, then the progress.

import { effect, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { ask, type Problem } from './api';
import { count, plain, plural } from './format';
import { phase } from './session';
import { as_problem } from './source';
import type { DryRun, Operation } from './types';
import { Dialog, OrderLink, Refused, Time, Trouble, useDoing } from './ui';

export type What = { reason: string } | { order_ids: string[] };

// The last retry of this page; it goes on at the server when its dialog is closed.
export const operation = signal<{ it: Operation; problem: Problem | null } | null>(null);
// It is shown to nobody but who started it.
effect(() => { if (phase.value !== 'signed_in') operation.value = null; });
// Counts up when one has ended, so that lists are read again.
export const retried = signal(0);

const wait = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });

async function follow(started: Operation): Promise<void> {
  operation.value = { it: started, problem: null };
  for (let pause = 500; operation.value?.it.id === started.id && operation.value.it.state === 'running';) {
    await wait(pause);
    try {
      const it: Operation = await ask<Operation>(`operations/${encodeURIComponent(started.id)}`);
      if (operation.value?.it.id === started.id) operation.value = { it, problem: null };
      pause = 1000;
    } catch (error) {
      const problem = as_problem(error);
      if (operation.value?.it.id === started.id) operation.value = { ...operation.value, problem };
      if (problem.status === 401 || problem.status === 403 || problem.status === 404) return;
      pause = Math.max(5000, problem.retry_after * 1000);
    }
  }
  retried.value += 1;
}

export function RetryDialog({ what, about, close }: { what: What; about: string; close: () => void }): JSX.Element {
  const [dry, set_dry] = useState<DryRun | null>(null);
  const [problem, set_problem] = useState<Problem | null>(null);
  const [mine, set_mine] = useState('');
  const doing = useDoing();
  const try_dry = (): void => {
    set_problem(null);
    ask<DryRun>('dead-letters/retry', { method: 'POST', body: { ...what, dry_run: true } })
      .then(set_dry, (error) => set_problem(as_problem(error)));
  };
  useEffect(try_dry, []);
  const start = async (): Promise<void> => {
    const it = await ask<Operation>('dead-letters/retry', { method: 'POST', body: what });
    set_mine(it.id);
    void follow(it);
  };
  const number = dry?.orders ?? 0;
  if (mine && operation.value?.it.id === mine) {
    return (
      <Dialog title="Retrying" close={close}>
        <section><Progress /></section>
        <div class="buttons"><button type="button" class="btn" data-first onClick={close}>{operation.value.it.state === 'running' ? 'Close; it goes on' : 'Close'}</button></div>
      </Dialog>
    );
  }
  return (
    <Dialog title={dry ? `Retry ${plural(number, 'order')}?` : 'Retry'} close={close}>
      <section>
        <p class="quoted"><bdi>{plain(about)}</bdi></p>
        {problem && <Trouble problem={problem} retry={try_dry} />}
        {!dry && !problem && <p class="soft" aria-busy="true">Counting, without changing anything…</p>}
        {dry && (
          <>
            <p>{number === 0 ? 'No order would be retried.' : `${plural(number, 'order')} would be retried, with all attempts anew.`}
              {dry.first_at && dry.last_at && <> Failed <Time at={dry.first_at} /> – <Time at={dry.last_at} />.</>}</p>
            {dry.left_out.length > 0 && (
              <p>{plural(dry.left_out.length, 'order is', 'orders are')} left out: {dry.left_out.slice(0, 5).map((it) => `${it.order_id} (${it.code.replaceAll('_', ' ')})`).join(', ')}{dry.left_out.length > 5 ? '…' : ''}.</p>)}
            {dry.more && <p>There are more of them than one retry takes: retry again when this one is done.</p>}
          </>)}
        <Refused problem={doing.problem} />
      </section>
      <div class="buttons">
        <button type="button" class="btn" data-first onClick={close}>Cancel</button>
        <button type="button" class="btn first" disabled={!dry || number === 0 || doing.busy} onClick={() => doing.run(start)}>
          {dry && number > 0 ? `Retry ${count(number)}` : 'Retry'}</button>
      </div>
    </Dialog>
  );
}

export function Progress(): JSX.Element | null {
  const doing = useDoing();
  const now = operation.value;
  if (!now) return null;
  const { it, problem } = now;
  const running = it.state === 'running';
  const words = { running: 'Retrying', done: 'Retried', stopped: 'Stopped after', failed: 'Failed after' }[it.state];
  return (
    <div class="progress">
      <p role="status"><b>{words} {count(it.done)} of {plural(it.total, 'order')}</b>
        {it.refused_count > 0 && `, ${count(it.refused_count)} refused`}{it.error && <>: <bdi>{it.error}</bdi></>}</p>
      <progress max={Math.max(1, it.total)} value={it.done + it.refused_count} aria-label="Orders retried" />
      {it.refused.length > 0 && (
        <details><summary class="small">Refused</summary>
          <ul class="plain">{it.refused.slice(0, 100).map((one) => <li key={one.order_id}><OrderLink id={one.order_id} /> <span class="soft">{one.code.replaceAll('_', ' ')}</span></li>)}</ul>
        </details>)}
      {problem && <Trouble problem={problem} tries />}
      {running && (
        <button type="button" class="btn" disabled={doing.busy} onClick={() => doing.run(async () => {
          await ask<Operation>(`operations/${encodeURIComponent(it.id)}/stop`, { method: 'POST' });
        })}>Stop</button>)}
      <Refused problem={doing.problem} />
    </div>
  );
}

export function LastRetry(): JSX.Element | null {
  if (!operation.value) return null;
  const over = operation.value.it.state !== 'running';
  return (
    <div class="card strip"><Progress />
      {over && <button type="button" class="btn" onClick={() => { operation.value = null; }}>Hide</button>}
    </div>
  );
}
