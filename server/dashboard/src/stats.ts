// The numbers of GET /stats, asked for once for all sections.

import { useRef } from 'preact/hooks';

import { useSource, type Source } from './source';
import type { Stats } from './types';

export function useStats(span: string, allowed: boolean): Source<Stats> {
  const source = useSource<Stats>(allowed ? `stats?span=${span}` : null, 5);
  const last = useRef<Stats | null>(null);  // shown until another span is there
  if (source.data !== null) last.current = source.data;
  return { ...source, data: source.data ?? last.current };
}
