// JSON whose numbers lose no digit. JSON.parse() reads numbers as floating point: it changes
// identifiers beyond 2^53, and amounts of more than 15 digits.

import { shapes } from './models.js';

/** An amount as decimal text, such as '149.90': as many decimals as its currency has. */
export type Amount = string;

/** JSON of which nothing more is known. An integer that no double can hold is a bigint. */
export type JsonValue =
  | null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject;
export interface JsonObject { readonly [name: string]: JsonValue }

/** A number as it was written. */
class Digits {
  constructor(readonly text: string) {}
}

type Raw = null | boolean | string | Digits | Raw[] | { [name: string]: Raw };

const DEPTH_MAX = 64;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/;
const TOKEN = new RegExp(
  String.raw`[\t\n\r ]*(?:([{}[\]:,])|(")|(${NUMBER.source})|(true|false|null))`, 'y');

interface Token {
  mark?: string | undefined;
  string?: string;
  number?: string | undefined;
  word?: string | undefined;
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  whole(): Raw {
    const value = this.value(this.token(), 0);
    if (/[^\t\n\r ]/.test(this.text.slice(this.at))) this.fail();
    return value;
  }

  private fail(): never {
    throw new SyntaxError(`no JSON at character ${this.at}`);
  }

  private token(): Token {
    TOKEN.lastIndex = this.at;
    const [, mark, quote, number, word] = TOKEN.exec(this.text) ?? this.fail();
    this.at = TOKEN.lastIndex;
    return quote === undefined ? { mark, number, word } : { string: this.string() };
  }

  /** The string that began with the quote in front of here. */
  private string(): string {
    const start = this.at - 1;
    for (let end = this.at - 1; (end = this.text.indexOf('"', end + 1)) >= 0;) {
      let slashes = 0;
      while (this.text[end - 1 - slashes] === '\\') slashes += 1;
      if (slashes % 2 === 0) {
        this.at = end + 1;
        return JSON.parse(this.text.slice(start, end + 1)) as string;
      }
    }
    return this.fail();
  }

  private value({ mark, string, number, word }: Token, depth: number): Raw {
    if (depth > DEPTH_MAX) this.fail();
    if (string !== undefined) return string;
    if (number !== undefined) return new Digits(number);
    if (word !== undefined) return word === 'null' ? null : word === 'true';
    if (mark === '[') return this.array(depth);
    return mark === '{' ? this.object(depth) : this.fail();
  }

  private array(depth: number): Raw[] {
    const made: Raw[] = [];
    let token = this.token();
    if (token.mark === ']') return made;
    for (;;) {
      made.push(this.value(token, depth + 1));
      const mark = this.token().mark;
      if (mark === ']') return made;
      if (mark !== ',') this.fail();
      token = this.token();
    }
  }

  private object(depth: number): { [name: string]: Raw } {
    const made: [string, Raw][] = [];
    let token = this.token();
    if (token.mark === '}') return {};
    for (;;) {
      const name = token.string ?? this.fail();
      if (this.token().mark !== ':') this.fail();
      made.push([name, this.value(this.token(), depth + 1)]);
      const mark = this.token().mark;
      if (mark === '}') return Object.fromEntries(made);
      if (mark !== ',') this.fail();
      token = this.token();
    }
  }
}

function plain(it: Raw): JsonValue {
  if (it instanceof Digits) {
    const number = Number(it.text);
    return /^-?\d+$/.test(it.text) && !Number.isSafeInteger(number) ? BigInt(it.text) : number;
  }
  if (Array.isArray(it)) return it.map(plain);
  if (it === null || typeof it !== 'object') return it;
  return Object.fromEntries(Object.entries(it).map(([name, value]) => [name, plain(value)]));
}

function wrong(what: string): never {
  throw new TypeError(`it is no ${what}`);
}

/** Reads a value as its shape says; what has none is read as it is. */
function shaped(it: Raw, shape: string): unknown {
  if (it === null) return null;
  if (shape.startsWith('[')) {
    return Array.isArray(it) ? it.map((one) => shaped(one, shape.slice(1, -1))) : wrong('array');
  }
  switch (shape) {
    case 'int64': return it instanceof Digits ? BigInt(it.text) : wrong('number');
    case 'amount': return it instanceof Digits ? it.text : wrong('number');
    case 'time': return typeof it === 'string' ? new Date(it) : wrong('time');
    case 'object': break;
    default: {
      if (typeof it !== 'object' || Array.isArray(it) || it instanceof Digits) wrong('object');
      const fields = shapes[shape] ?? wrong('known shape');
      return Object.fromEntries(Object.entries(it).map(([name, value]) => {
        const own = Object.hasOwn(fields, name) ? fields[name] : undefined;
        return [name, own === undefined ? plain(value) : shaped(value, own)];
      }));
    }
  }
  return plain(it);
}

/**
 * Reads JSON.
 *
 * @param shape the name of a type in models.ts, or several, each with a field that only it has.
 */
export function readJson(text: string, shape: string | Readonly<Record<string, string>>): unknown {
  const raw = new Reader(text).whole();
  if (typeof shape === 'string') return shaped(raw, shape);
  const told = Object.entries(shape).find(([field]) =>
    raw !== null && typeof raw === 'object' && Object.hasOwn(raw, field));
  return shaped(raw, told?.[1] ?? wrong(Object.values(shape).join(' or ')));
}

/** Writes JSON: a bigint is a number with all its digits, a Date a time, and undefined nothing. */
export function writeJson(it: unknown): string {
  if (typeof it === 'bigint') return it.toString();
  if (it instanceof Date) return JSON.stringify(it.toISOString());
  if (Array.isArray(it)) return `[${it.map((one) => writeJson(one ?? null)).join(',')}]`;
  if (it !== null && typeof it === 'object') {
    return `{${Object.entries(it).filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${JSON.stringify(name)}:${writeJson(value)}`).join(',')}}`;
  }
  if (typeof it === 'number' && !Number.isFinite(it)) {
    throw new RangeError(`${it} is no number in JSON`);
  }
  const made = JSON.stringify(it) as string | undefined;
  if (made === undefined) throw new TypeError(`a ${typeof it} has no form in JSON`);
  return made;
}
