// Orders that failed for good, by the reason of it.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { query } from './api';
import { clip, count, plural } from './format';
import { LastRetry, operation, retried, RetryDialog, type What } from './retry';
import { link, param, route } from './route';
import { may } from './session';
import { useSource } from './source';
import type { DeadLetters, Group, Page } from './types';
import { Card, Empty, OrderLink, Shown, Table, Time } from './ui';

export const name_of = (reason: string): string => (reason === '' ? 'no reason was given' : reason);
const group_link = (reason: string): string => link('dead', { reason, of: 'reason' });

// Reads again when the count of dead letters has changed, but not more often than every 10 s.
function useDeadLetters(known: number | null): ReturnType<typeof useSource<DeadLetters>> {
  const source = useSource<DeadLetters>('dead-letters', 60);
  const last = useRef(known);
  const after = retried.value;
  useEffect(() => { if (after > 0) source.reload(); }, [after]);
  useEffect(() => {
    if (known === null || last.current === null) { last.current = known; return undefined; }
    if (known === last.current) return undefined;
    const timer = setTimeout(() => { last.current = known; source.reload(); }, Math.max(0, source.at + 10_000 - Date.now()));
    return () => clearTimeout(timer);
  }, [known]);
  return source;
}

export function DeadLettersCard({ wide, groups_max, known }: { wide: 8 | 12; groups_max: number; known: number | null }): JSX.Element {
  const source = useDeadLetters(known);
  const [asking, set_asking] = useState<{ what: What; about: string } | null>(null);
  const it = source.data;
  const chosen = param('of') === 'reason' ? param('reason') : null;
  const groups = it?.groups.slice(0, groups_max) ?? [];
  const left = it ? it.groups.length - groups.length : 0;
  return (
    <Card title="Dead letters by reason" wide={wide} id="dead"
      note={it && it.orders > 0 && `${plural(it.orders, 'order')}, ${plural(it.groups.length, 'reason')}`}
      right={left > 0 && groups_max < 100 && <a class="small" href={link('dead')}>All {count(it?.groups.length ?? 0)}</a>}>
      <Shown source={source}>{(data) => (data.orders === 0
        ? <Empty>No order has failed for good. One that does, because its attempts are used up or its work gave up, waits here for your decision.</Empty>
        : (
          <>
            <Table label="Dead letters by reason" head={(
              <tr><th scope="col">Reason</th><th scope="col" class="n">Orders</th><th scope="col" class="n">Last hour</th><th scope="col">First – last</th>
                {may('operate') && <th scope="col"><span class="off-screen">Actions</span></th>}</tr>)}>
              {groups.map((group) => <GroupRow key={group.reason} group={group} chosen={group.reason === chosen}
                retry={() => set_asking({ what: { reason: group.reason }, about: name_of(group.reason) })} />)}
            </Table>
            {!data.complete && <Empty>These are the newest {count(data.looked_at)} of {count(data.orders)}; reasons among older ones are not counted.</Empty>}
            {groups_max >= 100 && left + data.other_orders > 0 && <Empty>There are further reasons, with fewer orders each. Retry some of these first.</Empty>}
          </>))}
      </Shown>
      {asking && <RetryDialog {...asking} close={() => set_asking(null)} />}
    </Card>
  );
}

function GroupRow({ group, chosen, retry }: { group: Group; chosen: boolean; retry: () => void }): JSX.Element {
  return (
    <tr data-row aria-current={chosen ? 'true' : undefined}>
      <td class="grow"><a class="why" href={group_link(group.reason)}><b><bdi>{clip(name_of(group.reason))}</bdi></b></a>
        <span class="soft small why">such as <OrderLink id={group.example.order_id} /></span></td>
      <td class="n"><b>{count(group.orders)}</b></td>
      <td class="n">{group.last_hour > 0 ? <span class="fail">▴ {count(group.last_hour)}</span> : '0'}</td>
      <td class="small"><span class="nowrap"><Time at={group.first_at} /> –</span> <span class="nowrap"><Time at={group.last_at} /></span></td>
      {may('operate') && <td class="n"><button type="button" class="btn" data-retry onClick={retry} aria-label={`Retry ${plural(group.orders, 'order')}: ${clip(name_of(group.reason), 60)}`}>Retry {count(group.orders)}…</button></td>}
    </tr>
  );
}

export function Dead({ known }: { known: number | null }): JSX.Element {
  const chosen = param('of') === 'reason';
  return (
    <>
      <div class="state"><h1 tabIndex={-1}>Dead letters</h1></div>
      {operation.value && <LastRetry />}
      <div class="grid">
        {may('read') && <DeadLettersCard wide={12} groups_max={100} known={known} />}
        {chosen && may('read') && may('orders:read') && <OrdersOfGroup reason={param('reason')} key={param('reason')} />}
      </div>
    </>
  );
}

function OrdersOfGroup({ reason }: { reason: string }): JSX.Element {
  const cursor = route.value.params.get('cursor');
  // An empty reason is one, too.
  const source = useSource<Page>(`dead-letters?reason=${encodeURIComponent(reason)}&limit=50${cursor ? query({ cursor }).replace('?', '&') : ''}`, 0, true);
  const [marked, set_marked] = useState<ReadonlySet<string>>(new Set());
  const [asking, set_asking] = useState(false);
  const after = retried.value;
  useEffect(() => { if (after > 0) { set_marked(new Set()); source.reload(); } }, [after]);
  useEffect(() => set_marked(new Set()), [cursor]);
  const ids = source.data?.items.map((it) => it.order_id) ?? [];
  const toggle = (id: string): void => {
    const next = new Set(marked);
    if (!next.delete(id)) next.add(id);
    set_marked(next);
  };
  const operate = may('operate');
  return (
    <Card title={clip(name_of(reason), 80)} wide={12} id="group"
      right={operate && marked.size > 0 && <button type="button" class="btn first" onClick={() => set_asking(true)}>Retry {plural(marked.size, 'marked order')}…</button>}>
      <Shown source={source}>{(page) => (
        <>
          {page.items.length === 0 && <Empty>{page.next_cursor ? 'None on this page; there may be more on the next.' : 'No dead letter has this reason any more.'}</Empty>}
          {page.items.length > 0 && (
            <Table label="Orders of this reason" head={(
              <tr>{operate && (
                <th scope="col"><input type="checkbox" aria-label="Mark all on this page" checked={marked.size === ids.length}
                  onChange={() => set_marked(marked.size === ids.length ? new Set() : new Set(ids))} /></th>)}
                <th scope="col">Order</th><th scope="col">Last error</th><th scope="col" class="n">Attempts</th><th scope="col">Created</th><th scope="col">Changed</th></tr>)}>
              {page.items.map((it) => (
                <tr key={it.order_id} data-row>
                  {operate && <td><input type="checkbox" aria-label={`Mark ${it.order_id}`} checked={marked.has(it.order_id)} onChange={() => toggle(it.order_id)} /></td>}
                  <td><OrderLink id={it.order_id} /></td>
                  <td class="grow"><span class="why"><bdi>{clip(it.last_error ?? '–')}</bdi></span></td>
                  <td class="n">{String(it.attempts)}</td>
                  <td class="small nowrap"><Time at={it.created_at} /></td><td class="small nowrap"><Time at={it.updated_at} /></td>
                </tr>))}
            </Table>)}
          <p class="pages">
            {cursor && <a class="btn" href={link('dead', { reason, of: 'reason' })}>First page</a>}
            {page.next_cursor && <a class="btn" href={link('dead', { reason, of: 'reason', cursor: page.next_cursor })}>Next page</a>}
          </p>
        </>)}
      </Shown>
      {asking && <RetryDialog what={{ order_ids: [...marked] }} about={plural(marked.size, 'marked order')} close={() => set_asking(false)} />}
    </Card>
  );
}
