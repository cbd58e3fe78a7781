// A line chart by uPlot, with its numbers for those who do not see it.

import type { JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';

import { clock } from './format';
import { theme } from './theme';

export interface Line { name: string; values: (number | null)[]; colour: string; dash?: boolean; fill?: string }


function last_of(values: (number | null)[]): number | null {
  for (let i = values.length - 1; i >= Math.max(0, values.length - 3); i -= 1) {
    const it = values[i];
    if (it !== null && it !== undefined) return it;
  }
  return null;
}

// `light-dark()` in a variable is not resolved by reading the variable: a colour that is in use is.
function resolve(colours: string[]): string[] {
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const out = colours.map((it) => {
    probe.style.color = it;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return out;
}

function options(lines: Line[], width: number, write: (it: number) => string, goal: number | undefined, least: number): uPlot.Options {
  const [soft = '', line = '', ...rest] = resolve(['var(--soft)', 'var(--line)', ...lines.flatMap((it) => [`var(${it.colour})`, it.fill ? `var(${it.fill})` : 'transparent'])]);
  const axis = { stroke: soft, font: '11px system-ui, sans-serif', ticks: { show: false } };
  return {
    width, height: 172, padding: [10, 8, 0, 0], legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { x: { time: true }, y: { range: (_u, _min, max) => [0, Math.max(least, (goal ?? 0) * 1.15, max * 1.1)] } },
    axes: [
      { ...axis, grid: { show: false }, size: 26, space: 64, values: (_u, all) => all.map((it) => clock(new Date(it * 1000))) },
      { ...axis, grid: { stroke: line, width: 1 }, size: 46, space: 44, values: (_u, all) => all.map((it) => write(it)) },
    ],
    series: [{}, ...lines.map((it, i) => ({
      label: it.name, stroke: rest[i * 2] ?? soft, width: 1.6, spanGaps: false, points: { show: false },
      ...(it.fill ? { fill: rest[i * 2 + 1] ?? '' } : {}), ...(it.dash ? { dash: [5, 3] } : {}),
    }))],
    hooks: goal === undefined ? {} : {
      draw: [(u: uPlot) => {
        const y = u.valToPos(goal, 'y', true);
        u.ctx.save();
        u.ctx.strokeStyle = soft;
        u.ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
        u.ctx.beginPath();
        u.ctx.moveTo(u.bbox.left, y);
        u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
        u.ctx.stroke();
        u.ctx.restore();
      }],
    },
  };
}

export function Chart({ title, from, step, lines, write, goal, least = 1 }: {
  title: string; from: number; step: number; lines: Line[]; write: (it: number) => string; goal?: number; least?: number;
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, set_at] = useState<number | null>(null);
  const name = useId();
  const points = Math.max(...lines.map((it) => it.values.length));
  const times = Array.from({ length: points }, (_, i) => from + i * step);
  const data = [times, ...lines.map((it) => it.values)] as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;
  const form = `${theme.value}|${goal}|${lines.map((it) => it.name).join()}`;

  useEffect(() => {
    const it = box.current;
    if (!it) return undefined;
    const u = new uPlot({
      ...options(lines, Math.max(200, it.clientWidth), write, goal, least),
    }, latest.current, it);
    plot.current = u;
    u.over.addEventListener('mouseleave', () => set_at(null));
    u.over.addEventListener('mousemove', () => set_at(u.cursor.idx ?? null));
    const watch = new ResizeObserver(() => { if (it.clientWidth > 0 && it.clientWidth !== u.width) u.setSize({ width: it.clientWidth, height: 172 }); });
    watch.observe(it);
    return () => { watch.disconnect(); u.destroy(); plot.current = null; };
  }, [form]);
  useEffect(() => { plot.current?.setData(data); });

  const value_at = (it: Line): number | null => (at === null ? last_of(it.values) : it.values[at] ?? null);
  const text = (it: number | null): string => (it === null ? '–' : write(it));
  const nothing = lines.every((it) => it.values.every((value) => value === null));
  const label = `${title}: ${lines.map((it) => `${it.name} ${text(last_of(it.values))}`).join(', ')}${goal === undefined ? '' : `, goal ${write(goal)}`}`;
  const every = Math.max(1, Math.ceil(points / 30));
  return (
    <div class="plot">
      <p class="key" aria-hidden="true">
        {lines.map((it) => <span key={it.name}><svg width="16" height="8" class={`ink ink${it.colour}`}><line x1="0" x2="16" y1="4" y2="4" stroke-width="2" stroke-dasharray={it.dash ? '5 3' : undefined} /></svg>{it.name} <b>{text(value_at(it))}</b></span>)}
        {goal !== undefined && <span><svg width="16" height="8" class="ink ink--soft"><line x1="0" x2="16" y1="4" y2="4" stroke-width="1" stroke-dasharray="4 4" /></svg>goal {write(goal)}</span>}
        {at !== null && times[at] !== undefined && <span class="at">{clock(new Date(times[at] * 1000), { seconds: true })}</span>}
      </p>
      <div ref={box} class="canvas" role="img" aria-label={label} />
      {nothing && <p class="nothing soft">Nothing was measured in this span yet.</p>}
      <details>
        <summary class="small soft" id={name}>As a table</summary>
        <div class="scroll low" tabIndex={0} role="region" aria-labelledby={name}>
          <table aria-label={title}>
            <thead><tr><th scope="col">Time</th>{lines.map((it) => <th scope="col" class="n" key={it.name}>{it.name}</th>)}</tr></thead>
            <tbody>{times.map((time, i) => [time, i] as const).filter(([, i]) => (points - 1 - i) % every === 0).reverse().map(([time, i]) => (
              <tr key={time}><td>{clock(new Date(time * 1000), { seconds: true })}</td>{lines.map((it) => <td class="n" key={it.name}>{text(it.values[i] ?? null)}</td>)}</tr>))}
            </tbody>
          </table>
        </div>
      </details>
    </div>
  );
}

