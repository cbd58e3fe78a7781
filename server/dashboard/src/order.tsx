// One order: why it is not done, where its time went, what happened to it, and what can be done.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { ask, order_path, query } from './api';
import { pretty, type Json } from './exact';
import { duration, plain, plural } from './format';
import { lanes_of } from './lanes';
import { listen } from './live';
import { go, link, link_here } from './route';
import { may, model } from './session';
import { hidden, useSource, type Source } from './source';
import type { Entry, Explained, History, Order, Scope } from './types';
import { Confirm, Dialog, Empty, Shown, Status, Time, Trouble } from './ui';

const rows_max = 100;

export function OrderDrawer({ id }: { id: string }): JSX.Element {
  const path = order_path(id);
  const close = (): void => go(link_here({ order: null }));
  const order = useSource<Order>(path, 0, true);
  const gone = order.problem?.status === 404;
  const version = order.data ? Number(String(order.data.version)) : 0;
  const entries_path = order.data || gone ? `${path}/history${query({ after: version > 200 ? version - 200 : '' })}` : null;
  const history = useSource<History>(entries_path, 0, true);
  const explained = useSource<Explained>(may('read') ? `${path}/explain` : null, 60, true);
  useChanges(id, () => { order.reload(); history.reload(); explained.reload(); });

  const never = gone && history.problem?.status === 404;
  const entries = history.data?.items ?? [];
  const newest = entries[entries.length - 1];
  const deleted = gone && newest !== undefined;
  const shown: Order | null = order.data ?? (deleted ? newest.order : null);
  return (
    <Dialog drawer title={<bdi>{plain(id)}</bdi>} close={close} top={(
      <>
        {shown && <Status status={deleted ? null : shown.status} />}
        {shown && <span class="soft small">version {String(shown.version)} · {shown.currency} <bdi>{String(shown.total_amount)}</bdi>{who_of(shown)}</span>}
        <span class="actions">
          {order.data && <Events order={order.data} done={() => { order.reload(); history.reload(); explained.reload(); }} />}
          <CopyLink />
        </span>
      </>)}>
      {never ? <section><Empty>There never was an order with this id. Upper and lower case matter.</Empty></section> : (
        <>
          {order.problem && !gone && <section><Trouble problem={order.problem} retry={order.reload} /></section>}
          {may('read') ? <section><Why source={explained} /></section> : shown?.last_error && <section><p class="explain fails"><b>Last error:</b> <bdi>{plain(shown.last_error)}</bdi></p></section>}
          {history.data && <section><Times entries={entries} /></section>}
          <section>
            <h3>What happened {version > 200 && <span class="soft small">the newest 200 of {plural(version, 'change')}</span>}</h3>
            {entries_path === null ? <p class="soft">{order.problem ? 'Not known.' : 'Loading…'}</p> : <Shown source={history}>{() => <Happened entries={entries} />}</Shown>}
          </section>
          {shown && <section><h3>{deleted ? 'The order before it was deleted' : 'The order now'}</h3><pre tabIndex={0} role="region" aria-label="The order as JSON"><bdi>{pretty(shown as Json)}</bdi></pre></section>}
        </>)}
    </Dialog>
  );
}

function who_of(it: Order): JSX.Element | null {
  const user = it['user_id'];
  return user === null || user === undefined ? null : <> · user <bdi>{String(user)}</bdi></>;
}

// Each change of this order, as it comes.
function useChanges(id: string, changed: () => void): void {
  const off = hidden.value;
  useEffect(() => {
    if (off || !may('orders:read')) return undefined;
    const end = new AbortController();
    void listen({ open() {}, changes: (got) => { if (got.length > 0) changed(); }, broken() {} }, { id: '' }, end.signal, `events${query({ order_id: id })}`);
    return () => end.abort();
  }, [id, off]);
}

function CopyLink(): JSX.Element {
  const [copied, set_copied] = useState(false);
  if (!navigator.clipboard) return <></>;
  return (
    <button type="button" class="btn" onClick={() => {
      navigator.clipboard.writeText(location.href).then(() => set_copied(true), () => set_copied(false));
    }}>{copied ? 'Copied' : 'Copy link'}</button>
  );
}

// Buttons for what the status machine lets clients do, and the scopes of the key.
function Events({ order, done }: { order: Order; done: () => void }): JSX.Element {
  const [event, set_event] = useState('');
  const [reason, set_reason] = useState('');
  const allowed = (model.value?.statuses.transitions ?? [])
    .filter((it) => it.open_to_clients && it.from.includes(order.status) && may((it.scope ?? 'orders:write') as Scope));
  const chosen = allowed.find((it) => it.event === event);
  const title = (it: string): string => it.charAt(0).toUpperCase() + it.slice(1).replaceAll('_', ' ');
  const raise = async (): Promise<void> => {
    await ask(`${order_path(order.order_id)}/transitions`, {
      method: 'POST', headers: { 'If-Match': `"${String(order.version)}"` },
      body: reason.trim() ? { event, reason: reason.trim() } : { event },
    });
    done();
  };
  return (
    <>
      {allowed.map((it) => (
        <button type="button" key={it.event} class={it.event === 'retry' ? 'btn first' : 'btn'} {...(it.event === 'retry' ? { 'data-retry': '' } : {})}
          onClick={() => set_event(it.event)}>{title(it.event)}…</button>))}
      {chosen && (
        <Confirm title={`${title(event)} ${order.order_id}?`} action={title(event)} danger={event !== 'retry'} act={raise} close={() => set_event('')}>
          <p>The order becomes {chosen.to}{event === 'retry' && ', with all attempts anew'}. {event === 'cancel' && 'What an earlier attempt has done is not undone. '}The journal says who did it.</p>
          <label class="field">Reason, for those who read its history
            <input value={reason} maxLength={200} onInput={(it) => set_reason(it.currentTarget.value)} />
          </label>
        </Confirm>)}
    </>
  );
}

function Why({ source }: { source: Source<Explained> }): JSX.Element {
  return (
    <Shown source={source}>{(it) => {
      const fails = it.state === 'dead';
      const [summary = it.summary, ...others] = it.sentences.length > 0 ? it.sentences : [it.summary];
      return (
        <div class={`explain ${fails ? 'fails' : ''}`}>
          <p><b><bdi>{plain(summary)}</bdi></b></p>
          {others.map((one, i) => <p key={i}><bdi>{plain(one)}</bdi></p>)}
          {it.next_at && <p>Next at <Time at={it.next_at} seconds />.</p>}
          {it.reason !== null && it.similar !== null && it.similar > 0 && (
            <p><a href={link('dead', { reason: it.reason, of: 'reason' })}>Show all with this reason</a></p>)}
        </div>
      );
    }}</Shown>
  );
}

function Times({ entries }: { entries: Entry[] }): JSX.Element {
  const all = lanes_of(entries, model.value, Date.now());
  const lanes = all.slice(-24);
  const start = lanes[0]?.from ?? 0;
  const end = Math.max(...lanes.map((it) => it.until), start);
  const whole = Math.max(1, end - start);
  const sum = (kinds: string[]): number => all.filter((it) => kinds.includes(it.kind)).reduce((total, it) => total + it.until - it.from, 0) / 1000;
  const left = all.length - lanes.length;
  return (
    <>
      <h3>Where its time went {lanes.length > 0 && <span class="soft small">{duration(sum(['wait']))} waiting, {duration(sum(['work', 'fail', 'done']))} in work{left > 0 && `; the last ${lanes.length} pieces`}</span>}</h3>
      {lanes.length === 0 ? <Empty>It neither waited nor was worked on.</Empty> : (
        <ol class="lanes">
          {lanes.map((it, i) => (
            <li key={i}>
              <span class="soft">{it.name}</span>
              <svg class="lane" viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true">
                <rect class={`piece ${it.kind}`} x={((it.from - start) / whole) * 1000} width={Math.max(4, ((it.until - it.from) / whole) * 1000)} y="0" height="14" />
              </svg>
              <span class="num" title={plain(it.note) || undefined}>{duration((it.until - it.from) / 1000)}{it.running && ' so far'}{it.kind === 'fail' && <span class="fail"> ✕ failed</span>}{it.kind === 'done' && <span class="done"> ✓</span>}</span>
            </li>))}
        </ol>)}
    </>
  );
}

function Happened({ entries }: { entries: Entry[] }): JSX.Element {
  const rows = entries.map((it, i) => ({ it, before: entries[i - 1] ?? null })).reverse().slice(0, rows_max);
  return (
    <ol class="hist">
      {rows.map(({ it, before }) => (
        <li key={it.position}>
          <span class="soft"><Time at={it.at} millis /></span>
          <Status status={it.event === 'delete' ? null : it.to} />
          <span class="text"><b>{it.event}</b>{it.actor && <> by <bdi>{it.actor}</bdi></>}{it.reason && <>: <bdi>{plain(it.reason)}</bdi></>}</span>
          {before && <Changed from={before.order} to={it.order} />}
        </li>))}
    </ol>
  );
}

function Changed({ from, to }: { from: Order | null; to: Order | null }): JSX.Element | null {
  if (!from || !to) return null;
  const lines: { sign: '-' | '+'; text: string }[] = [];
  for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
    if (name === 'version' || name === 'updated_at') continue;
    const [old, now] = [from[name], to[name]].map((it) => (it === undefined ? '' : pretty(it)));
    if (old === now) continue;
    if (old) lines.push({ sign: '-', text: `${name}: ${old}` });
    if (now) lines.push({ sign: '+', text: `${name}: ${now}` });
  }
  if (lines.length === 0) return null;
  return (
    <details><summary class="small">what changed</summary>
      <pre tabIndex={0} role="region" aria-label="What changed">{lines.map((it, i) => <span key={i} class={it.sign === '-' ? 'gone' : 'came'}>{it.sign} <bdi>{it.text}</bdi>{'\n'}</span>)}</pre>
    </details>
  );
}

