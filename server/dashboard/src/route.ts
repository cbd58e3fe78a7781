// Where the page is: all of it stands in the fragment of the URL, so that a link shows the same.
//   #orders?status=FAILED&order=ORD-1

import { signal } from '@preact/signals';

export type Section = 'overview' | 'orders' | 'dead' | 'workers' | 'webhooks';
export interface Route { section: Section; params: URLSearchParams }
const sections: readonly string[] = ['overview', 'orders', 'dead', 'workers', 'webhooks'];

function read(): Route {
  const [section = '', params = ''] = decode(location.hash.slice(1)).split(/\?(.*)/s);
  return {
    section: (sections.includes(section) ? section : 'overview') as Section,
    params: new URLSearchParams(params),
  };
}
// Some programs that pass links on encode the question mark.
const decode = (hash: string): string => (hash.includes('?') ? hash : hash.replace('%3F', '?'));

export const route = signal<Route>(read());
export function watch_route(): void { addEventListener('hashchange', () => { route.value = read(); }); }

export function link(section: Section, params: Record<string, string | null | undefined> = {}): string {
  const kept = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== null && value !== undefined && value !== '') kept.append(name, value);
  const text = kept.toString();
  return `#${section}${text ? `?${text}` : ''}`;
}

// The same place with other parameters.
export function link_here(changes: Record<string, string | null>): string {
  const { section, params } = route.value;
  return link(section, { ...Object.fromEntries(params), ...changes });
}

export function go(to: string): void { location.hash = to; }
export const param = (name: string): string => route.value.params.get(name) ?? '';
