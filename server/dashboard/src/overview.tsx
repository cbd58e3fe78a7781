// What needs a person, the numbers, the charts, and the beginnings of the other sections.

import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';

import { Broker } from './broker';
import { Chart } from './chart';
import { DeadLettersCard } from './dead';
import { Feed } from './feed';
import { clock, count, duration, percent, plain, plural, rate } from './format';
import { PauseButton } from './pause';
import { link, link_here, param } from './route';
import { may, model } from './session';
import { useSource, type Source } from './source';
import { Badge, Card, Time, Trouble } from './ui';
import type { Finding, Findings, Stats } from './types';
import { WebhooksCard } from './webhooks';
import { WorkersCard } from './workers';

const shown_first = 5;

export function Overview({ stats }: { stats: Source<Stats> }): JSX.Element {
  const findings = useSource<Findings>('findings', 60);
  const dead = stats.data?.now.dead_letters ?? null;
  const now = stats.data;
  const measured = stats.problem?.status !== 404;  // else the server has no such numbers
  return (
    <>
      <Title findings={findings} stats={stats} />
      <NeedsYou source={findings} />
      {stats.problem && measured && <Trouble what="The numbers are" problem={stats.problem} retry={stats.reload} tries />}
      <div class="grid">
        {now ? (
          <div class={`whole ${stats.problem ? 'stale' : ''}`}>
            <Numbers it={now} />
          </div>
        ) : !stats.problem && <div class="card kpis"><p class="empty soft" aria-busy="true">Loading…</p></div>}
        {now && <Charts it={now} stale={stats.problem !== null} />}
        <DeadLettersCard wide={8} groups_max={5} known={dead} />
        {may('orders:read') ? <Feed /> : null}
        <WorkersCard wide={8} rows_max={6} stats={stats.data} />
        <div class="c4 stack">
          {measured && <Broker source={stats} />}
          {may('webhooks') && <WebhooksCard rows_max={4} />}
        </div>
      </div>
    </>
  );
}

function Title({ findings, stats }: { findings: Source<Findings>; stats: Source<Stats> }): JSX.Element {
  const it = findings.data;
  let text = 'Overview';
  if (it && !findings.problem) text = it.findings.length === 0 ? 'All is well' : `${plural(it.findings.length, 'thing needs', 'things need')} you`;
  const span = param('span') === '1h' ? '1h' : '15m';
  return (
    <div class="state">
      <h1 tabIndex={-1}>{text}</h1>
      <div class="right">
        {stats.problem?.status !== 404 && <Live source={stats} />}
        <div class="seg" hidden={stats.problem?.status === 404} role="group" aria-label="Span of the charts">
          <a href={link_here({ span: null })} aria-current={span === '15m'}>15 min</a>
          <a href={link_here({ span: '1h' })} aria-current={span === '1h'}>1 h</a>
        </div>
      </div>
    </div>
  );
}

export function Live({ source }: { source: Source<Stats> }): JSX.Element {
  const at = source.at ? clock(new Date(source.at), { seconds: true }) : '';
  if (source.problem) return <span class="live small off"><i aria-hidden="true" />Not renewed{at && ` since ${at}`}</span>;
  if (!source.at) return <span class="live small off"><i aria-hidden="true" />Loading…</span>;
  return <span class="live small"><i aria-hidden="true" />Live · {at}</span>;
}

function NeedsYou({ source }: { source: Source<Findings> }): JSX.Element | null {
  const [all, set_all] = useState(false);
  const { data, problem } = source;
  if (problem) return <Trouble what="What needs you is" problem={problem} retry={source.reload} tries />;
  if (!data) return <p class="todo-empty soft" aria-busy="true">Looking what needs you…</p>;
  if (data.findings.length === 0) {
    const unknown = data.checks.filter((it) => it.state === 'unknown');
    return (
      <p class="todo-empty"><Badge kind="done">all is well</Badge>
        <span>{plural(data.checks.length, 'check')} found nothing that needs you. Last looked at <Time at={data.at} seconds />.
          {unknown.length > 0 && ` Not known: ${unknown.map((it) => it.subject).join(', ')}.`}</span>
      </p>
    );
  }
  const shown = all ? data.findings : data.findings.slice(0, shown_first);
  const more = data.findings.length - shown.length;
  return (
    <>
      <ul class="todo" aria-label="What needs you">
        {shown.map((it, i) => <Need it={it} key={`${it.code}${i}`} />)}
        {more > 0 && <li><button type="button" class="btn" onClick={() => set_all(true)}>Show {plural(more, 'more thing')}</button></li>}
      </ul>
    </>
  );
}

function Need({ it }: { it: Finding }): JSX.Element {
  const bad = it.severity === 'problem';
  return (
    <li>
      <span class={`mark ${bad ? 'bad' : 'warn'}`} aria-hidden="true">!</span>
      <span class="what"><span class="off-screen">{bad ? 'Problem' : 'Warning'}: </span><bdi>{plain(it.text)}</bdi>
        {it.since && <span class="soft small"> Since <Time at={it.since} />.</span>}</span>
      <WayOut it={it} />
    </li>
  );
}

// The one thing to do about it, if there is one on this page.
function WayOut({ it }: { it: Finding }): JSX.Element | null {
  const to = (href: string, text: ComponentChildren): JSX.Element => <a class="btn" href={href}>{text}</a>;
  switch (it.about.kind) {
    case 'dead_letters': return to(link('dead', it.about.reason === undefined ? {} : { reason: it.about.reason, of: 'reason' }), 'Look at them');
    case 'worker': return to(link('workers', { name: it.about.name }), 'Show worker');
    case 'workers': case 'process': return to(link('workers'), 'Show workers');
    case 'webhook': return may('webhooks') ? to(link('webhooks', { id: it.about.id }), 'Open endpoint') : null;
    case 'pause': return may('operate') ? <PauseButton resume stage={it.about.stage ?? null} /> : null;
    case 'queue': return may('orders:read') ? to(link('orders', { status: model.value?.statuses.stages[0]?.waiting, sort: 'due' }), 'Show what waits') : null;
    default: return null;
  }
}

function Numbers({ it }: { it: Stats }): JSX.Element {
  const { now } = it;
  const heard = now.workers.working + now.workers.paused + now.workers.draining;
  const flow = now.created_to_done;
  const orders = may('orders:read');
  const first = now.stages[0];
  const waiting = orders && first && now.stages.length === 1 ? link('orders', { status: first.waiting_status }) : null;
  const working = orders && first && now.stages.length === 1 ? link('orders', { status: first.stage }) : null;
  return (
    <div class="card kpis" role="group" aria-label="Numbers">
      <Kpi name="Waiting" href={waiting} value={count(now.waiting)}
        note={now.oldest_age !== null ? `the first has been due for ${duration(now.oldest_age)}` : now.waiting > 0 ? 'none of them is due yet' : 'nothing waits'} />
      <Kpi name="In work" href={working} value={count(now.in_work)} of={now.capacity === null ? undefined : `of ${count(now.capacity)}`}
        note={now.paused ? 'work is paused' : heard > 0 ? `at ${plural(heard, 'worker')}` : 'no worker is heard'} alarm={!now.paused && heard === 0 && now.waiting > 0} />
      <Kpi name="Completed a minute" href={null} value={now.completed_per_minute === null ? '–' : rate(now.completed_per_minute)}
        note={now.completed_per_minute === null ? 'measured from the second minute on' : 'over the last minute'} />
      <Kpi name="Created to done, p95" href={null} value={flow ? duration(flow.p95) : '–'}
        note={flow ? `${percent(flow.within_goal)} within ${duration(flow.goal)}` : 'nothing was done in 5 min'} />
      <Kpi name="Dead letters" href={link('dead')} value={count(now.dead_letters)} alarm={now.dead_letters > 0}
        note={now.dead_letters > 0 ? 'wait for a decision' : 'nothing failed for good'} />
    </div>
  );
}

function Kpi({ name, value, of, note, href, alarm = false }: {
  name: string; value: string; of?: string | undefined; note: string; href: string | null; alarm?: boolean;
}): JSX.Element {
  const inside = (
    <>
      <span class="name">{name}</span>
      <b class={alarm ? 'fail' : undefined}>{value}{of && <small> {of}</small>}</b>
      <span class={alarm ? 'small fail' : 'small soft'}>{alarm && <span aria-hidden="true">▴ </span>}{note}</span>
    </>
  );
  return href === null ? <div class="kpi">{inside}</div> : <a class="kpi" href={href}>{inside}</a>;
}

function Charts({ it, stale }: { it: Stats; stale: boolean }): JSX.Element {
  const { series, step } = it;
  const from = new Date(it.from).getTime() / 1000;
  const common = { from, step };
  const seconds = (value: number): string => (value === 0 ? '0' : duration(value));
  const cards = [
    ['Orders a second', <Chart title="Orders a second" {...common} write={rate} lines={[
      { name: 'in', values: series.created, colour: '--soft', dash: true },
      { name: 'done', values: series.completed, colour: '--done', fill: '--done-bg' },
      { name: 'failed', values: series.failed, colour: '--fail' }]} />],
    ['Created to done', <Chart title="Created to done" {...common} write={seconds} goal={it.now.created_to_done?.goal ?? 10} lines={[
      { name: 'p50', values: series.p50, colour: '--soft' },
      { name: 'p95', values: series.p95, colour: '--work' },
      { name: 'p99', values: series.p99, colour: '--wait', dash: true }]} />],
    ['Waiting and in work', <Chart title="Waiting and in work" {...common} write={rate} least={10} lines={[
      { name: 'waiting', values: series.waiting, colour: '--wait', fill: '--wait-bg' },
      { name: 'in work', values: series.in_work, colour: '--work', dash: true }]} />],
  ] as const;
  return <>{cards.map(([title, chart]) => <Card title={title} wide={4} key={title} id={`chart ${title}`}><div class={stale ? 'stale' : undefined}>{chart}</div></Card>)}</>;
}

