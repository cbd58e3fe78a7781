// The broker and the readers of the journal, as the server that answers sees them.

import type { JSX } from 'preact';

import { count, duration } from './format';
import type { Source } from './source';
import type { Stats } from './types';
import { Badge, Card, Empty } from './ui';

const behind = (it: Stats['feeds'][number]): string => {
  const parts = [];
  if (it.behind !== null) parts.push(it.behind === 0 ? 'has all of it' : `${count(it.behind)} behind`);
  if (it.lag !== null && it.behind !== 0) parts.push(duration(it.lag));
  return parts.join(', ') || 'not known';
};

export function Broker({ source }: { source: Source<Stats> }): JSX.Element {
  const it = source.data;
  const all = it?.broker?.connections ?? [];
  const away = all.filter((one) => !one.connected);
  return (
    <Card title="Broker" wide={4} id="broker" right={all.length > 0 && (away.length ? <Badge kind="fail">{all.length > 1 ? `${away.length} of ${all.length} away` : 'away'}</Badge> : <Badge kind="done">connected</Badge>)}>
      {!it ? <Empty>{source.problem ? 'Not known: the numbers could not be read.' : 'Loading…'}</Empty> : (
        <div class={source.problem ? 'stale' : undefined}>
          {it.broker === null && <Empty>This server has no broker. Start it with <code>--broker</code> to publish changes.</Empty>}
          {it.broker !== null && all.length === 0 && <Empty>No connection was made yet.</Empty>}
          {(all.length > 0 || it.feeds.length > 0) && (
            <dl class="facts">
              {all.map((one) => (
                <div key={one.name}><dt>{one.name} <span class="soft">({one.broker})</span></dt>
                  <dd>{one.connected ? <Badge kind="done">connected</Badge> : <Badge kind="fail">away</Badge>}
                    {!one.connected && one.reason && <span class="small block"><bdi>{one.reason}</bdi></span>}</dd></div>))}
              {it.feeds.map((one) => (
                <div key={one.cursor}><dt>{one.cursor} {!one.leading && <span class="soft">(follows)</span>}</dt>
                  <dd>{behind(one)}{one.waits_for !== 'nothing' && one.behind !== 0 && <span class="small block soft">waits for {one.waits_for}</span>}</dd></div>))}
            </dl>)}
        </div>)}
    </Card>
  );
}
