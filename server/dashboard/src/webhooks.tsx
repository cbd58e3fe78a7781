// Endpoints of others that are told of changes, and what became of the deliveries.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import { ask, query } from './api';
import { clip, duration } from './format';
import { link, link_here, param } from './route';
import { useSource } from './source';
import type { Delivery, Webhook } from './types';
import { Badge, Card, Confirm, Empty, OrderLink, Refused, Shown, Table, Time, useDoing } from './ui';

const named = (it: Webhook): string => it.description || it.url;
const State = ({ it }: { it: Webhook }): JSX.Element => (it.state === 'active'
  ? <Badge kind="done">active</Badge> : it.state === 'paused' ? <Badge kind="fail" sign="‖">paused</Badge> : <Badge kind="stop">{it.state}</Badge>);

const none = <Empty>There is no endpoint. One that <code>orderproc webhooks create</code> or <code>POST /webhooks</code> makes is sent the changes of orders, and appears here.</Empty>;

export function WebhooksCard({ rows_max }: { rows_max: number }): JSX.Element {
  const source = useSource<{ items: Webhook[] }>('webhooks', 60);
  const all = source.data?.items ?? [];
  return (
    <Card title="Webhooks" wide={4} id="webhooks" right={all.length > 0 && <a class="small" href={link('webhooks')}>All {all.length}</a>}>
      <Shown source={source}>{() => (all.length === 0 ? none : (
        <dl class="facts">
          {[...all].sort((a, b) => Number(a.state === 'active') - Number(b.state === 'active')).slice(0, rows_max).map((it) => (
            <div key={it.id}><dt><a href={link('webhooks', { id: it.id })}><bdi>{clip(named(it), 40)}</bdi></a></dt><dd><State it={it} /></dd></div>))}
        </dl>))}
      </Shown>
    </Card>
  );
}

export function Webhooks(): JSX.Element {
  const source = useSource<{ items: Webhook[] }>('webhooks', 30);
  const chosen = param('id');
  const it = source.data?.items.find((one) => one.id === chosen) ?? null;
  return (
    <>
      <div class="state"><h1 tabIndex={-1}>Webhooks</h1></div>
      <div class="grid">
        <Card title="Endpoints" wide={12} id="endpoints">
          <Shown source={source}>{(data) => (data.items.length === 0 ? none : (
            <Table label="Endpoints" head={<tr><th scope="col">Endpoint</th><th scope="col">State</th><th scope="col">Sent</th><th scope="col">Of</th><th scope="col">Made</th></tr>}>
              {data.items.map((one) => (
                <tr key={one.id} data-row aria-current={one.id === chosen ? 'true' : undefined}>
                  <td class="grow"><a class="why" href={link('webhooks', { id: one.id })}><b><bdi>{clip(named(one), 80)}</bdi></b></a><span class="soft small why"><bdi>{clip(one.url, 120)}</bdi></span></td>
                  <td><State it={one} />{one.paused_because && <span class="small block"><bdi>{clip(one.paused_because)}</bdi></span>}</td>
                  <td class="small">{[...one.events, ...one.statuses].join(', ') || 'all changes'}{one.content === 'reference' && ', ids only'}</td>
                  <td class="small nowrap"><bdi>{one.user_id !== undefined ? `user ${one.user_id}` : one.tenant !== undefined ? `tenant ${one.tenant}` : 'all orders'}</bdi></td>
                  <td class="small nowrap"><Time at={one.created_at} /> by <bdi>{one.created_by || 'nobody in particular'}</bdi></td>
                </tr>))}
            </Table>))}
          </Shown>
        </Card>
        {chosen !== '' && source.data && !it && <div class="card c12"><Empty>There is no endpoint {chosen} any more, or it is somebody else’s.</Empty></div>}
        {it && <Deliveries it={it} key={it.id} changed={source.reload} />}
      </div>
    </>
  );
}

function Deliveries({ it, changed }: { it: Webhook; changed: () => void }): JSX.Element {
  const status = param('status') === 'all' ? '' : 'failed';
  const path = `webhooks/${encodeURIComponent(it.id)}`;
  const source = useSource<{ items: Delivery[]; next: string }>(`${path}/attempts${query({ status, after: param('after'), limit: 50 })}`, 0);
  const [asking, set_asking] = useState(false);
  const doing = useDoing();
  const [said, set_said] = useState('');
  const post = (what: string, body: unknown, done: string): void => doing.run(async () => {
    set_said('');
    await ask(`${path}/${what}`, body === undefined ? { method: 'POST' } : { method: 'POST', body });
    set_said(done);
    changed();
  });
  const paused = it.state === 'paused';
  return (
    <Card title={clip(named(it), 60)} wide={12} id="deliveries" note={<State it={it} />}
      right={(
        <>
          {paused
            ? <button type="button" class="btn first" disabled={doing.busy} onClick={() => post('resume', undefined, 'Resumed: what failed is tried again at once.')}>Resume</button>
            : <button type="button" class="btn" onClick={() => set_asking(true)}>Pause…</button>}
          <button type="button" class="btn" disabled={doing.busy} onClick={() => post('test', undefined, 'A test will be sent.')}>Send a test</button>
        </>)}>
      <div class="inset"><Refused problem={doing.problem} /><p role="status">{said}</p>
        <div class="seg" role="group" aria-label="Which attempts">
          <a href={link_here({ status: null, after: null })} aria-current={status === 'failed'}>failed</a>
          <a href={link_here({ status: 'all', after: null })} aria-current={status === ''}>all</a>
        </div>
      </div>
      <Shown source={source}>{(data) => (data.items.length === 0
        ? <Empty>{status ? 'No attempt has failed in the last 7 days.' : 'Nothing was sent yet.'}</Empty>
        : (
          <>
            <Table label="Attempts" head={<tr><th scope="col">At</th><th scope="col">Result</th><th scope="col">Order</th><th scope="col" class="n">Attempt</th><th scope="col" class="n">Took</th><th scope="col">Answer</th><th scope="col">Again at</th><th scope="col"><span class="off-screen">Actions</span></th></tr>}>
              {data.items.map((one) => (
                <tr key={one.id} data-row>
                  <td class="small nowrap"><Time at={one.at} seconds /></td>
                  <td>{one.result === 'delivered' ? <Badge kind="done">delivered</Badge> : <Badge kind="fail">failed</Badge>} {one.status ?? ''}</td>
                  <td>{one.order_id === undefined ? <span class="soft nowrap">a test</span> : <OrderLink id={one.order_id} />}</td>
                  <td class="n">{one.number}</td><td class="n">{duration(one.duration_ms / 1000)}</td>
                  <td class="grow"><span class="why"><bdi>{clip(one.error || one.answer || '')}</bdi></span></td>
                  <td class="small nowrap"><Time at={one.next_at} seconds /></td>
                  <td class="n">{one.order_id !== undefined && <button type="button" class="btn" data-retry disabled={doing.busy} aria-label={`Send again: ${one.order_id}`} onClick={() => post('replay', { attempt: one.id }, 'It will be sent again.')}>Send again</button>}</td>
                </tr>))}
            </Table>
            <p class="pages">{param('after') && <a class="btn" href={link_here({ after: null })}>Oldest</a>}
              {data.items.length === 50 && data.next && <a class="btn" href={link_here({ after: data.next })}>Later ones</a>}</p>
          </>))}
      </Shown>
      {asking && (
        <Confirm title={`Pause ${clip(named(it), 40)}?`} action="Pause" close={() => set_asking(false)} act={async () => { await ask(`${path}/pause`, { method: 'POST' }); changed(); }}>
          <p>Nothing is sent to it until it is resumed. Its events wait in the journal, and none is lost.</p>
        </Confirm>)}
    </Card>
  );
}
