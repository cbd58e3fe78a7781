// Who works on orders.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { query } from './api';
import { count, duration, plural } from './format';
import { PauseButton, pauses_changed } from './pause';
import { link, link_here, param } from './route';
import { may } from './session';
import { useSource, type Source } from './source';
import type { Pauses, Stats, Worker, Workers, WorkerState } from './types';
import { Badge, Card, Empty, Shown, Table, Time } from './ui';

const kinds: Record<WorkerState, readonly ['done' | 'wait' | 'stop' | 'fail', string]> = {
  working: ['done', '✓'], paused: ['stop', '‖'], draining: ['stop', '–'], silent: ['wait', '!'], gone: ['fail', '✕'],
};
const State = ({ it }: { it: WorkerState }): JSX.Element => {
  const [kind, sign] = kinds[it] ?? ['stop', '?'];
  return <Badge kind={kind} sign={sign}>{it}</Badge>;
};

export function WorkersCard({ wide, rows_max, stats }: { wide: 8 | 12; rows_max: number; stats: Stats | null }): JSX.Element {
  const after = rows_max >= 100 ? param('after') : '';
  const source = useSource<Workers>(`workers${query({ limit: rows_max, after })}`, rows_max >= 100 ? 15 : 60);
  const now = stats?.now;
  const versions = new Set(source.data?.items.filter((it) => it.state !== 'gone').map((it) => it.version));
  return (
    <Card title="Workers" wide={wide} id="workers"
      note={[now && now.capacity !== null ? `${plural(now.in_work, 'order')} in work, ${plural(Math.max(0, now.capacity - now.in_work), 'place')} free` : '',
        versions.size > 1 ? `${versions.size} versions: ${[...versions].sort().join(', ')}` : ''].filter(Boolean).join(' · ')}
      right={rows_max < 100 && source.data?.next ? <a class="small" href={link('workers')}>All</a> : undefined}>
      <Shown source={source}>{(data) => (data.items.length === 0
        ? <Empty>No worker was heard in the last hour. Start one with <code>orderproc work</code>, or a server without <code>--no-worker</code>.</Empty>
        : (
          <>
            <Table label="Workers" head={(
              <tr><th scope="col">Worker</th><th scope="col">State</th><th scope="col">In work</th><th scope="col" class="n">Done a minute</th>
                {rows_max >= 100 && <><th scope="col" class="n">Claimed</th><th scope="col" class="n">Failed</th><th scope="col" class="n">Leases lost</th><th scope="col">Stages</th><th scope="col">Started</th></>}
                <th scope="col" class="n">Retried</th><th scope="col">Version</th><th scope="col" class="n">Heard</th></tr>)}>
              {data.items.map((it) => <Row it={it} key={it.name} whole={rows_max >= 100} at={data.at} />)}
            </Table>
            {rows_max >= 100 && (
              <p class="pages">{param('after') && <a class="btn" href={link('workers')}>First page</a>}
                {data.next && <a class="btn" href={link_here({ after: data.next })}>Next page</a>}</p>)}
          </>))}
      </Shown>
    </Card>
  );
}

function Row({ it, whole, at }: { it: Worker; whole: boolean; at: string }): JSX.Element {
  const heard = (new Date(at).getTime() - new Date(it.heard_at).getTime()) / 1000;
  const ended = it.advanced + it.retried + it.failed;
  return (
    <tr data-row aria-current={param('name') === it.name ? 'true' : undefined}>
      <td class="nowrap"><b><bdi>{it.name}</bdi></b>{whole && <span class="soft small block"><bdi>{it.host}</bdi>, process {it.pid}</span>}</td>
      <td><State it={it.state} /></td>
      <td class="num nowrap"><meter class="off-small" min={0} max={Math.max(1, it.capacity)} value={it.in_work} aria-hidden="true" /> {count(it.in_work)} of {count(it.capacity)}</td>
      <td class="n">{it.done_last_minute === null ? '–' : count(it.done_last_minute)}</td>
      {whole && <><td class="n">{count(it.claimed)}</td><td class="n">{count(it.failed)}</td><td class="n">{count(it.lease_lost)}</td><td class="small"><bdi>{it.stages.join(', ')}</bdi></td><td class="small nowrap"><Time at={it.started_at} /></td></>}
      <td class="n">{ended > 0 ? `${((it.retried / ended) * 100).toFixed(1)} %` : '–'}</td>
      <td class="nowrap">{it.version}</td>
      <td class="n"><span title={it.heard_at}>{duration(heard)} ago</span></td>
    </tr>
  );
}

export function WorkersSection({ stats }: { stats: Source<Stats> }): JSX.Element {
  return (
    <>
      <div class="state"><h1 tabIndex={-1}>Workers</h1></div>
      <div class="grid">
        <PausesCard stats={stats.data} />
        <WorkersCard wide={12} rows_max={100} stats={stats.data} />
      </div>
    </>
  );
}

function PausesCard({ stats }: { stats: Stats | null }): JSX.Element {
  const source = useSource<Pauses>('pauses', 60);
  const changed = pauses_changed.value;
  const [seen] = useState(changed);
  useEffect(() => { if (changed !== seen) source.reload(); }, [changed]);
  const stages = stats?.now.stages ?? [];
  const all = source.data?.items.some((it) => it.stage === null) ?? false;
  return (
    <Card title="Pause" wide={12} id="pause" right={may('operate') && source.data && !all && <PauseButton stages={stages} />}>
      <Shown source={source}>{(data) => (data.items.length === 0
        ? <Empty>Work goes on. A pause keeps all workers from taking orders, for example while a service that they need is away.</Empty>
        : (
          <ul class="plain rows">
            {data.items.map((it) => (
              <li key={String(it.stage)}>
                <Badge kind="wait" sign="‖">paused</Badge>
                <span class="what"><b>{it.stage ?? 'All work'}</b> since <Time at={it.since} />, by <bdi>{it.by}</bdi>{it.reason && <>: <bdi>{it.reason}</bdi></>}</span>
                {may('operate') && (!all || it.stage === null) && <PauseButton resume stage={it.stage} />}
              </li>))}
          </ul>))}
      </Shown>
    </Card>
  );
}
