// The last changes, as they happen.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import type { Problem } from './api';
import { count } from './format';
import { listen, shown_max } from './live';
import { hidden } from './source';
import type { Change } from './types';
import { Card, Empty, OrderLink, Status, Time, Trouble } from './ui';

const redraw_ms = 400;

export function Feed(): JSX.Element {
  const [paused, set_paused] = useState(false);
  const [state, set_state] = useState<'connecting' | 'live' | 'broken'>('connecting');
  const [problem, set_problem] = useState<Problem | null>(null);
  const [shown, set_shown] = useState<{ changes: Change[]; skipped: number }>({ changes: [], skipped: 0 });
  const seen = useRef({ id: '' });
  const off = paused || hidden.value;

  useEffect(() => {
    if (off) return undefined;
    const end = new AbortController();
    let waiting: Change[] = [];
    let missed = 0;
    const draw = (): void => {
      if (waiting.length === 0 && missed === 0) return;
      const got = waiting;
      const skipped = missed;
      waiting = [];
      missed = 0;
      set_shown((old) => ({ changes: [...got, ...old.changes].slice(0, shown_max), skipped }));
    };
    const timer = setInterval(draw, redraw_ms);
    set_state('connecting');
    void listen({
      open: () => { set_state('live'); set_problem(null); },
      changes: (got, skipped) => { waiting = [...got, ...waiting].slice(0, shown_max); missed += skipped; },
      broken: (why) => { set_state('broken'); set_problem(why); },
    }, seen.current, end.signal);
    return () => { end.abort(); clearInterval(timer); };
  }, [off]);

  const refused = problem !== null && problem.status >= 400 && problem.status < 500 && problem.status !== 429;
  const word = paused ? 'paused' : state === 'live' ? 'live' : state === 'broken' ? 'reconnecting…' : 'connecting…';
  return (
    <Card title="Happening now" wide={4} id="feed" note={refused ? undefined : word}
      right={<button type="button" class="btn" aria-pressed={paused} onClick={() => set_paused(!paused)}>{paused ? 'Go on' : 'Pause'}</button>}>
      {problem && !paused && <Trouble problem={problem} tries />}
      {shown.skipped > 0 && <p class="empty soft small">{count(shown.skipped)} changes before these are not shown.</p>}
      {shown.changes.length === 0 && !problem
        ? <Empty>Nothing has changed since the page was opened. Each change of an order appears here.</Empty>
        : (
          <ol class="feed" tabIndex={0} aria-label="The last changes">
            {shown.changes.map((it) => (
              <li key={it.id} title={it.data.reason ?? undefined}>
                <span class="soft small"><Time at={it.time} seconds /></span>
                <Status status={it.data.to} />
                <OrderLink id={it.data.order_id} />
              </li>))}
          </ol>)}
    </Card>
  );
}
