// JSON whose numbers keep their digits: ids go up to 2^63-1 and amounts have trailing zeros, and a
// JavaScript number keeps neither.

import { plain } from './format';

export class Exact {
  constructor(readonly digits: string) {}
  toString(): string { return this.digits; }
}

export type Json = null | boolean | number | string | Exact | Json[] | { [name: string]: Json };
export type Id = number | string | Exact;

const strings_and_numbers = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/gs;
const marked_number = /^\0-?\d[\d.eE+-]*$/;

// Numbers that a JavaScript number would write differently become Exact. Throws SyntaxError.
export function parse(text: string): Json {
  const marked = text.replace(strings_and_numbers, (it) => (
    it.startsWith('"') || String(Number(it)) === it ? it : `"\\u0000${it}"`));
  return JSON.parse(marked, (_name, value: Json) => (
    typeof value === 'string' && marked_number.test(value) ? new Exact(value.slice(1)) : value)) as Json;
}

// Indented as people read it, with every number as it was sent.
export function pretty(value: Json, indent = ''): string {
  if (value instanceof Exact) return value.digits;
  if (value === null || typeof value !== 'object') return plain(JSON.stringify(value));
  const inner = `${indent}  `;
  const list = Array.isArray(value);
  const parts = list
    ? value.map((it) => pretty(it, inner))
    : Object.entries(value).map(([name, it]) => `${plain(JSON.stringify(name))}: ${pretty(it, inner)}`);
  const [open, close] = list ? ['[', ']'] : ['{', '}'];
  if (parts.length === 0) return open + close;
  const flat = parts.join(', ');
  if (list && flat.length < 64 && !flat.includes('\n')) return open + flat + close;
  return `${open}\n${parts.map((it) => inner + it).join(',\n')}\n${indent}${close}`;
}
