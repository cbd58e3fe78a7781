// Pieces of which all sections are made.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

import type { Problem } from './api';
import { clock, plain, read_time } from './format';
import { link_here } from './route';
import { model } from './session';
import { as_problem, type Source } from './source';

type Kind = 'done' | 'work' | 'wait' | 'fail' | 'stop';
const signs: Record<Kind, string> = { done: '✓', work: '▸', wait: '◦', fail: '✕', stop: '–' };

// A state is a sign and a word, never a colour alone.
export function Badge({ kind, sign, children }: { kind: Kind; sign?: string; children: ComponentChildren }): JSX.Element {
  return <span class={`badge b-${kind}`}><span aria-hidden="true">{sign ?? signs[kind]}</span> {children}</span>;
}

function kind_of(status: string): Kind {
  for (const stage of model.value?.statuses.stages ?? []) {
    if (status === stage.failed) return 'fail';
    if (status === stage.active) return 'work';
    if (status === stage.waiting) return 'wait';
  }
  if (status === 'COMPLETED') return 'done';
  if (status === 'FAILED') return 'fail';
  if (status === 'PROCESSING') return 'work';
  if (status === 'PENDING') return 'wait';
  return 'stop';
}

export const Status = ({ status }: { status: string | null }): JSX.Element => (
  status === null ? <Badge kind="stop" sign="✕">deleted</Badge> : <Badge kind={kind_of(status)}>{status}</Badge>);

// In the viewer's zone, with UTC in the title.
export function Time({ at, seconds = false, millis = false }: { at: string | null | undefined; seconds?: boolean; millis?: boolean }): JSX.Element {
  const it = read_time(at);
  if (it === null) return <span class="soft">–</span>;
  return <time dateTime={it.toISOString()} title={`${it.toISOString().replace('T', ' ').replace('Z', '')} UTC`}>{clock(it, { seconds, millis })}</time>;
}

export const OrderLink = ({ id, children }: { id: string; children?: ComponentChildren }): JSX.Element => (
  <a class="id" href={link_here({ order: id })}><bdi>{children ?? plain(id)}</bdi></a>);

export function Card({ title, note, right, wide, children, id }: {
  title: string; note?: ComponentChildren; right?: ComponentChildren; wide: 4 | 8 | 12; children: ComponentChildren; id?: string;
}): JSX.Element {
  const name = useId();
  return (
    <section class={`card c${wide}`} aria-labelledby={name} {...(id ? { 'data-card': id } : {})}>
      <div class="head"><h2 id={name}>{title}</h2>{note && <span class="soft small">{note}</span>}{right && <span class="right">{right}</span>}</div>
      {children}
    </section>
  );
}

function why(problem: Problem): string {
  switch (problem.status) {
    case 403: return `You may not see this: ${problem.message}`;
    case 404: return 'This server does not have it.';
    case 501: return `The storage of this server cannot do that: ${problem.message}`;
    default: return problem.message;
  }
}

// tries: it is asked for again without anybody doing something.
export function Trouble({ problem, retry, what, tries = false }: {
  problem: Problem; retry?: () => void; what?: string; tries?: boolean;
}): JSX.Element {
  const passes = problem.status >= 500 && problem.status !== 501 || problem.status === 0 || problem.status === 429;
  return (
    <p class="trouble" role="status">
      <span aria-hidden="true" class="mark bad">!</span>
      <span>{what && <b>{what} not known. </b>}<bdi>{why(problem)}</bdi>{tries && passes ? ' The page goes on trying.' : ''}</span>
      {retry && problem.status !== 403 && <button type="button" class="btn" onClick={retry}>Try again</button>}
    </p>
  );
}

export const Empty = ({ children }: { children: ComponentChildren }): JSX.Element => <p class="empty soft">{children}</p>;

// The data of a source, or why there is none. Data that could not be renewed stays, in grey.
export function Shown<T>({ source, children }: { source: Source<T>; children: (data: T) => ComponentChildren }): JSX.Element {
  const { data, problem } = source;
  return (
    <>
      {problem && <Trouble problem={problem} retry={source.reload} tries={source.repeats} />}
      {data !== null ? <div class={problem ? 'stale' : undefined}>{children(data)}</div>
        : !problem && <p class="empty soft" aria-busy="true">Loading…</p>}
    </>
  );
}

// On narrow screens the style shows each row as a block, with the names of the columns before the
// values; the roles keep it a table for those who hear it.
function describe(box: HTMLElement): void {
  const heads = [...box.querySelectorAll('th')].map((it) => it.textContent ?? '');
  const roles = { table: 'table', 'thead, tbody': 'rowgroup', tr: 'row', th: 'columnheader', td: 'cell' };
  for (const [which, role] of Object.entries(roles)) {
    for (const it of box.querySelectorAll(which)) it.setAttribute('role', role);
  }
  for (const row of box.querySelectorAll('tbody tr')) {
    [...row.children].forEach((cell, i) => {
      const empty = !cell.textContent?.trim() && !cell.querySelector('input, button, meter');
      cell.toggleAttribute('data-empty', empty);
      cell.setAttribute('data-label', i === 0 || cell.querySelector('button, input') ? '' : heads[i] ?? '');
    });
  }
}

// Scrolls sideways by itself when it is too narrow for its columns.
export function Table({ label, head, children }: { label: string; head: ComponentChildren; children: ComponentChildren }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [scrolls, set_scrolls] = useState(false);
  useEffect(() => {
    const it = box.current;
    if (!it) return undefined;
    const watch = new ResizeObserver(() => set_scrolls(it.scrollWidth > it.clientWidth + 1));
    watch.observe(it);
    if (it.firstElementChild) watch.observe(it.firstElementChild);
    return () => watch.disconnect();
  }, []);
  useEffect(() => { if (box.current) describe(box.current); });
  const reach = scrolls ? { tabIndex: 0, role: 'region' as const, 'aria-label': label } : {};
  return (
    <div class="scroll" ref={box} {...reach}>
      <table aria-label={label}><thead>{head}</thead><tbody>{children}</tbody></table>
    </div>
  );
}

// A dialog in front of all else. Closed by Escape too; the focus goes back to where it was.
export function Dialog({ title, close, drawer = false, top, children }: {
  title: ComponentChildren; close: () => void; drawer?: boolean; top?: ComponentChildren; children: ComponentChildren;
}): JSX.Element {
  const box = useRef<HTMLDialogElement>(null);
  const name = useId();
  useEffect(() => {
    const before = document.activeElement;
    const it = box.current;
    if (it && !it.open) it.showModal();
    it?.querySelector<HTMLElement>('[data-first]')?.focus();
    return () => { if (before instanceof HTMLElement && before.isConnected) before.focus(); };
  }, []);
  return (
    <dialog ref={box} class={drawer ? 'drawer' : 'ask'} aria-labelledby={name}
      onCancel={(event) => { event.preventDefault(); close(); }}>
      <div class="top">
        <h2 id={name}>{title}</h2>
        {top}
        <button type="button" class="btn close" aria-label="Close" onClick={close} {...(drawer ? { 'data-first': '' } : {})}>✕</button>
      </div>
      {children}
    </dialog>
  );
}

export interface Doing { busy: boolean; problem: Problem | null; run(what: () => Promise<void>): void }

// One action at a time, with its refusal beside its button.
export function useDoing(): Doing {
  const [state, set] = useState<{ busy: boolean; problem: Problem | null }>({ busy: false, problem: null });
  return {
    ...state,
    run(what) {
      if (state.busy) return;
      set({ busy: true, problem: null });
      what().then(() => set({ busy: false, problem: null }), (error) => set({ busy: false, problem: as_problem(error) }));
    },
  };
}

export const Refused = ({ problem }: { problem: Problem | null }): JSX.Element => (
  <p class="refused" role="alert">{problem && <><b>Not done:</b> {problem.message}</>}</p>);

// Asks before something is done; the focus is on the way out.
export function Confirm({ title, action, danger = false, close, act, children }: {
  title: string; action: string; danger?: boolean; close: () => void; act: () => Promise<void>; children: ComponentChildren;
}): JSX.Element {
  const doing = useDoing();
  return (
    <Dialog title={title} close={close}>
      <section>{children}<Refused problem={doing.problem} /></section>
      <div class="buttons">
        <button type="button" class="btn" data-first onClick={close}>Cancel</button>
        <button type="button" class={danger ? 'btn danger' : 'btn first'} disabled={doing.busy}
          onClick={() => doing.run(async () => { await act(); close(); })}>{action}</button>
      </div>
    </Dialog>
  );
}
