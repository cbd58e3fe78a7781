// Lists of orders: searched, filtered, in pages.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { query } from './api';
import { clip, count } from './format';
import { go, link, link_here, param } from './route';
import { bound, model } from './session';
import { useSource } from './source';
import type { Order, Page } from './types';
import { Card, Empty, OrderLink, Shown, Status, Table, Time } from './ui';

const page_size = 50;
const words = ['status', 'user', 'tenant', 'from', 'until'] as const;

// What people type into the search: ORD-1 user:123 status:failed from:2026-11-29
export function search(text: string): string {
  const params: Record<string, string> = {};
  for (const part of text.trim().split(/\s+/)) {
    const colon = part.indexOf(':');
    const word = part.slice(0, colon).toLowerCase();
    if (colon > 0 && (words as readonly string[]).includes(word)) params[word] = part.slice(colon + 1);
    else if (part) params['id'] = part;
  }
  if (params['status']) params['status'] = params['status'].toUpperCase();
  return link('orders', params);
}

// A day or a time as the viewer means it; the server takes UTC.
function utc(text: string): string {
  if (!text) return '';
  const it = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text);
  return Number.isNaN(it.getTime()) ? text : it.toISOString();
}

function list_path(): string {
  const id = param('id');
  const sort = param('sort');
  return `orders${query({
    order_id_prefix: id, status: param('status'), user_id: param('user'), tenant: param('tenant'),
    created_from: utc(param('from')), created_until: utc(param('until')),
    sort: sort === 'oldest' ? 'created_at' : sort === 'due' ? 'due_at' : '',
    limit: page_size, cursor: param('cursor'), total: bound() ? '' : true,
  })}`;
}

export function statuses(): string[] {
  const it = model.value?.statuses;
  if (!it) return [];
  const all = [it.initial, ...it.stages.flatMap((stage) => [stage.waiting, stage.active, stage.failed]), ...it.transitions.flatMap((one) => [...one.from, one.to])];
  return [...new Set(all)];
}

export function Orders(): JSX.Element {
  // Only the first page is read again by itself: others stand still while they are read.
  const path = list_path();
  const source = useSource<Page>(path, param('cursor') ? 0 : 15, true);
  const total = source.data?.total;
  const found = source.data?.items;
  const id = param('id');
  const narrowed = ['id', 'status', 'user', 'tenant', 'from', 'until'].some((it) => param(it) !== '');
  useEffect(() => {
    // Whoever typed a whole id wants to see that order.
    const [only] = found ?? [];
    if (id !== '' && found?.length === 1 && only?.order_id === id && param('order') === '' && param('shown') === '') go(link_here({ order: id, shown: 'once' }));
  }, [found, id]);
  return (
    <>
      <div class="state"><h1 tabIndex={-1}>Orders</h1></div>
      <Filters />
      <div class="grid">
        <Card title="Orders" wide={12} id="orders" note={total && `${total.exact ? '' : 'more than '}${count(total.value)}`}>
          <Shown source={source}>{(page) => (
            <>
              {page.items.length === 0 && (
                <Empty>{page.next_cursor ? 'None on this page; there may be more on the next.'
                  : narrowed ? 'No order is like this. Take a filter away, or look for the beginning of an id: upper and lower case matter.'
                    : 'There are no orders yet. They appear here once a client has created one with POST /orders.'}</Empty>)}
              {page.items.length > 0 && (
                <Table label="Orders" head={(
                  <tr><th scope="col">Order</th><th scope="col">Status</th><th scope="col" class="n">User</th><th scope="col" class="n">Total</th><th scope="col" class="n">Attempts</th>
                    <th scope="col">Created</th><th scope="col">Changed</th><th scope="col">Last error</th></tr>)}>
                  {page.items.map((it) => <Row it={it} key={it.order_id} />)}
                </Table>)}
              <p class="pages">
                {param('cursor') && <a class="btn" href={link_here({ cursor: null })}>First page</a>}
                {page.next_cursor && <a class="btn" href={link_here({ cursor: page.next_cursor, order: null })}>Next page</a>}
              </p>
            </>)}
          </Shown>
        </Card>
      </div>
    </>
  );
}

const Row = ({ it }: { it: Order }): JSX.Element => (
  <tr data-row>
    <td><OrderLink id={it.order_id} /></td>
    <td><Status status={it.status} /></td>
    <td class="n">{it['user_id'] === null || it['user_id'] === undefined ? '–' : <a href={link('orders', { user: String(it['user_id']) })}><bdi>{String(it['user_id'])}</bdi></a>}</td>
    <td class="n">{String(it.total_amount)} {it.currency}</td>
    <td class="n">{String(it.attempts)}</td>
    <td class="small nowrap"><Time at={it.created_at} seconds /></td>
    <td class="small nowrap"><Time at={it.updated_at} seconds /></td>
    <td class="grow"><span class="why"><bdi>{clip(it.last_error ?? '', 120)}</bdi></span></td>
  </tr>
);

function Filters(): JSX.Element {
  const [id, set_id] = useState(param('id'));
  const [user, set_user] = useState(param('user'));
  const at = [param('id'), param('user')].join('\0');
  useEffect(() => { set_id(param('id')); set_user(param('user')); }, [at]);
  const choose = (changes: Record<string, string>): void => go(link_here({ ...changes, cursor: null, order: null, shown: null }));
  const day = (text: string): string => (/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text.slice(0, 16));
  return (
    <form class="filters" onSubmit={(event) => { event.preventDefault(); choose({ id: id.trim(), user: user.trim() }); }}>
      <label class="field">Order id, or its beginning<input type="search" value={id} spellcheck={false} onInput={(event) => set_id(event.currentTarget.value)} /></label>
      <label class="field">User<input type="search" value={user} spellcheck={false} onInput={(event) => set_user(event.currentTarget.value)} /></label>
      <label class="field">Status
        <select value={param('status')} onChange={(event) => choose({ status: event.currentTarget.value, ...(param('sort') === 'due' ? { sort: '' } : {}) })}>
          <option value="">any</option>
          {statuses().map((it) => <option key={it} value={it}>{it}</option>)}
        </select>
      </label>
      <label class="field">Created from<input type="datetime-local" value={day(param('from'))} onChange={(event) => choose({ from: event.currentTarget.value })} /></label>
      <label class="field">until<input type="datetime-local" value={day(param('until'))} onChange={(event) => choose({ until: event.currentTarget.value })} /></label>
      <label class="field">Sorted by
        <select value={param('sort')} onChange={(event) => choose({ sort: event.currentTarget.value })}>
          <option value="">newest first</option><option value="oldest">oldest first</option>
          {param('status') && <option value="due">due time</option>}
        </select>
      </label>
      <span class="field-buttons"><button type="submit" class="btn first">Find</button><a class="btn" href={link('orders')}>Clear</a></span>
    </form>
  );
}
