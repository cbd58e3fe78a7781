// Who uses the page. A key is kept by this tab alone, goes into Authorization and nowhere else, and
// is forgotten after half an hour without a key press or a click.

import { computed, signal } from '@preact/signals';

import { ask, Problem, use_credentials } from './api';
import type { Model, Scope, Whoami } from './types';

const idle_limit = 30 * 60_000;
const stored_key = 'orderproc.key';
const stored_use = 'orderproc.used';

type Phase = 'asking' | 'signed_out' | 'signed_in' | 'failed';
export const phase = signal<Phase>('asking');
export const who = signal<Whoami | null>(null);
export const model = signal<Model | null>(null);
export const notice = signal('');  // why nobody is signed in
export const has_key = computed(() => phase.value === 'signed_in' && key !== null);

// A browser may forbid storage: then the key lives as long as the page.
function kept(name: string): string | null {
  try { return sessionStorage.getItem(name); } catch { return null; }
}
function keep(name: string, value: string): void {
  try { sessionStorage.setItem(name, value); } catch { /* as above */ }
}
function drop(name: string): void {
  try { sessionStorage.removeItem(name); } catch { /* as above */ }
}

let key: string | null = null;
let used = Date.now();

export const may = (scope: Scope): boolean => who.value?.scopes.includes(scope) ?? false;
export const bound = (): boolean => who.value !== null && (who.value.user !== null || who.value.tenant !== null);

const erasing = 'This key may erase data for good (scope erase). The page has no use for that and refuses such keys: '
  + 'sign in with a key without it.';

export function forget(why = ''): void {
  key = null;
  drop(stored_key);
  drop(stored_use);
  who.value = null;
  model.value = null;
  notice.value = why;
  phase.value = 'signed_out';
}

use_credentials({
  key: () => key,
  refused: (sent) => { if (phase.value === 'signed_in' && sent === key) forget('The server does not take this key any more.'); },
});

function accept(it: Whoami): void {
  if (it.scopes.includes('erase')) {
    forget(erasing);
    return;
  }
  if (key !== null) keep(stored_key, key);
  touch();
  who.value = it;
  notice.value = '';
  phase.value = 'signed_in';
  if (may('orders:read')) {
    // Without it the page has no buttons for events, and the server still decides.
    ask<Model>('model').then((got) => { model.value = got; }, () => {});
  }
}

// With the key, or with what the tab still has, or with what a proxy may add.
export async function sign_in(candidate?: string): Promise<void> {
  key = candidate ?? kept_key();
  try {
    accept(await ask<Whoami>('whoami'));
  } catch (error) {
    const problem = error instanceof Problem ? error : new Problem(0, '', String(error));
    const had_key = key !== null;
    if (problem.status === 401) {
      forget(had_key ? 'The server does not take this key.' : notice.value);
    } else if (candidate !== undefined) {
      forget(problem.message);
    } else {
      notice.value = problem.message;
      phase.value = 'failed';
    }
  }
}

function kept_key(): string | null {
  const found = kept(stored_key);
  if (found === null) return null;
  if (Date.now() - Number(kept(stored_use) ?? 0) < idle_limit) return found;
  forget(too_long);
  return null;
}

const too_long = 'The page was not used for 30 minutes, so it has forgotten the key.';

export function touch(): void {
  const now = Date.now();
  if (is_idle(now)) return;  // whoever comes back after that has to sign in first
  used = now;
  if (key !== null) keep(stored_use, String(now));
}

const is_idle = (now: number): boolean => key !== null && phase.value === 'signed_in' && now - used >= idle_limit;

export function forget_when_idle(): void {
  if (is_idle(Date.now())) forget(too_long);
}

export function watch_use(): void {
  for (const kind of ['pointerdown', 'keydown', 'wheel']) {
    addEventListener(kind, () => { forget_when_idle(); touch(); }, { capture: true, passive: true });
  }
  document.addEventListener('visibilitychange', forget_when_idle);
  setInterval(forget_when_idle, 10_000);
}
