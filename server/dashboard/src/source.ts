// What a section shows of the server: asked for when it appears, then again every so many seconds,
// and never while the page is hidden.

import { signal } from '@preact/signals';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import { ask, Problem } from './api';

export interface Source<T> {
  data: T | null;          // the last that arrived, also while there is a problem
  problem: Problem | null;
  at: number;              // when it arrived
  loading: boolean;
  repeats: boolean;        // it is asked for again by itself
  reload(): void;
}

export const hidden = signal(document.hidden);
document.addEventListener('visibilitychange', () => { hidden.value = document.hidden; });

export const as_problem = (error: unknown): Problem => (
  error instanceof Problem ? error : new Problem(0, '', error instanceof Error ? error.message : String(error)));

// path null: nothing is asked for. A new path forgets what the old one brought.
export function useSource<T>(path: string | null, seconds: number, exact = false): Source<T> {
  const [state, set] = useState<{ path: string | null; data: T | null; problem: Problem | null; at: number; loading: boolean }>(
    { path, data: null, problem: null, at: 0, loading: path !== null });
  const again = useRef<() => void>(() => {});
  useEffect(() => {
    if (path === null) return undefined;
    let timer = 0;
    let running: AbortController | null = null;
    let due = false;  // a time passed while the page was hidden
    const load = async (): Promise<void> => {
      clearTimeout(timer);
      running?.abort();
      const mine = new AbortController();
      running = mine;
      set((old) => ({ ...(old.path === path ? old : { data: null, problem: null, at: 0 }), path, loading: true }));
      let wait = seconds;
      try {
        const data = await ask<T>(path, { signal: mine.signal, exact });
        set({ path, data, problem: null, at: Date.now(), loading: false });
      } catch (error) {
        if (mine.signal.aborted) return;
        const problem = as_problem(error);
        wait = Math.max(seconds, problem.retry_after);
        set((old) => ({ ...old, path, problem, loading: false }));
        if (problem.status === 404) return;  // this server does not have it: it will not come
      }
      if (seconds > 0) timer = window.setTimeout(tick, wait * 1000);
    };
    const tick = (): void => { if (document.hidden) due = true; else void load(); };
    const shown = (): void => { if (!document.hidden && due) { due = false; void load(); } };
    again.current = () => { void load(); };
    document.addEventListener('visibilitychange', shown);
    void load();
    return () => {
      document.removeEventListener('visibilitychange', shown);
      clearTimeout(timer);
      running?.abort();
    };
  }, [path, seconds, exact]);
  const reload = useCallback(() => again.current(), []);
  const fresh = state.path === path;
  return {
    data: fresh ? state.data : null, problem: fresh ? state.problem : null, at: fresh ? state.at : 0,
    loading: fresh ? state.loading : path !== null, repeats: seconds > 0, reload,
  };
}
