// Light or dark, and whether single letters are commands: kept by the browser for the next time.

import { signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

// A browser may forbid storage; then it is asked again the next time.
function kept(name: string): string | null {
  try { return localStorage.getItem(name); } catch { return null; }
}
function keep(name: string, value: string): void {
  try { localStorage.setItem(name, value); } catch { /* as above */ }
}

const asked = kept('orderproc.theme');
export const chosen = signal<Theme>(asked === 'light' || asked === 'dark' ? asked : 'system');
export const theme = signal<'light' | 'dark'>('light');
export const letters = signal(kept('orderproc.letters') !== 'off');

const prefers_dark = matchMedia('(prefers-color-scheme: dark)');
function show(): void {
  const it = chosen.value;
  if (it === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = it;
  theme.value = it === 'system' ? (prefers_dark.matches ? 'dark' : 'light') : it;
}
prefers_dark.addEventListener('change', show);
show();

export function choose_theme(it: Theme): void { chosen.value = it; keep('orderproc.theme', it); show(); }
export function allow_letters(it: boolean): void { letters.value = it; keep('orderproc.letters', it ? 'on' : 'off'); }
