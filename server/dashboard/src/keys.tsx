// Commands by keys. Single letters count outside of fields only, and can be turned off (WCAG 2.1.4).

import type { JSX } from 'preact';

import { go, link, type Section } from './route';
import { letters, allow_letters } from './theme';
import { Dialog } from './ui';

export const all_keys: readonly (readonly [string, string])[] = [
  ['/', 'find an order'], ['g o', 'orders'], ['g d', 'dead letters'], ['g w', 'workers'], ['g h', 'webhooks'], ['g v', 'overview'],
  ['j', 'next row'], ['k', 'row before'], ['Enter', 'open the row'], ['x', 'mark the row'], ['r', 'retry'], ['Esc', 'close'], ['?', 'all keys'],
];
const sections: Record<string, Section> = { o: 'orders', d: 'dead', w: 'workers', h: 'webhooks', v: 'overview' };

const in_field = (it: EventTarget | null): boolean => it instanceof HTMLElement && it.matches('input, select, textarea, [contenteditable]');
const in_front = (): ParentNode => document.querySelector('dialog[open]') ?? document;

const row_of_focus = (): HTMLElement | null => document.activeElement?.closest<HTMLElement>('[data-row]') ?? null;

function step(by: number): void {
  const rows = [...in_front().querySelectorAll<HTMLElement>('[data-row]')].filter((it) => it.querySelector('a, button, input'));
  const at = row_of_focus();
  const next = rows[at ? rows.indexOf(at) + by : 0];
  next?.querySelector<HTMLElement>('a, button, input:not([type=checkbox])')?.focus();
}

export function watch_keys(help: () => void): () => void {
  let after_g = false;
  const pressed = (event: KeyboardEvent): void => {
    if (!letters.value || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || in_field(event.target)) return;
    const key = event.key;
    const section = after_g ? sections[key] : undefined;
    after_g = key === 'g' && !after_g;
    const dialog = document.querySelector('dialog[open]') !== null;
    const done = (): void => event.preventDefault();
    if (section && !dialog) { done(); go(link(section)); return; }
    if (key === '/' && !dialog) { done(); document.querySelector<HTMLInputElement>('#find')?.focus(); }
    else if (key === '?' && !dialog) { done(); help(); }
    else if (key === 'j') { done(); step(1); }
    else if (key === 'k') { done(); step(-1); }
    else if (key === 'x') { row_of_focus()?.querySelector<HTMLInputElement>('input[type=checkbox]')?.click(); }
    else if (key === 'r') { ((row_of_focus() ?? document.querySelector('dialog.drawer[open]'))?.querySelector<HTMLElement>('[data-retry]'))?.click(); }
  };
  addEventListener('keydown', pressed);
  return () => removeEventListener('keydown', pressed);
}

export function KeysDialog({ close }: { close: () => void }): JSX.Element {
  return (
    <Dialog title="Keys" close={close}>
      <section>
        <dl class="keys">{all_keys.map(([key, what]) => <div key={key}><dt>{key.split(' ').map((it) => <kbd class="k" key={it}>{it}</kbd>)}</dt><dd>{what}</dd></div>)}</dl>
        <label class="check"><input type="checkbox" checked={letters.value} onChange={(event) => allow_letters(event.currentTarget.checked)} /> Letters are commands on this page</label>
      </section>
      <div class="buttons"><button type="button" class="btn" data-first onClick={close}>Close</button></div>
    </Dialog>
  );
}

