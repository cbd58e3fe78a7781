// Numbers, times and durations as people read them.

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export const count = (it: number): string => grouped.format(it);
export const rate = (it: number): string => (it >= 100 ? grouped : short).format(it);
export const percent = (part: number): string => `${new Intl.NumberFormat('en', { maximumFractionDigits: 2 }).format(part * 100)} %`;
export const plural = (number: number, one: string, many = `${one}s`): string => `${count(number)} ${number === 1 ? one : many}`;

// 0.3 s, 41 s, 5 min, 2 h 10 min, 6 d 2 h
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const it = Math.max(0, seconds);
  if (it < 0.0995) return `${Math.round(it * 1000)} ms`;
  if (it < 10) return `${it.toFixed(1)} s`;
  if (it < 60) return `${Math.round(it)} s`;
  const minutes = Math.floor(it / 60);
  if (minutes < 60) return minutes < 10 && Math.round(it % 60) > 0 ? `${minutes} min ${Math.floor(it % 60)} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return hours % 24 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${Math.floor(hours / 24)} d`;
}

export function bytes(it: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = it;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

const two = (it: number): string => String(it).padStart(2, '0');
const same_day = (a: Date, b: Date): boolean => a.toDateString() === b.toDateString();

// In the viewer's zone; the day only if it is another one than today.
export function clock(it: Date, options: { seconds?: boolean; millis?: boolean } = {}): string {
  let text = `${two(it.getHours())}:${two(it.getMinutes())}`;
  if (options.seconds || options.millis) text += `:${two(it.getSeconds())}`;
  if (options.millis) text += `.${String(it.getMilliseconds()).padStart(3, '0')}`;
  const now = new Date();
  if (same_day(it, now)) return text;
  const yesterday = new Date(now.getTime() - 86_400_000);
  if (same_day(it, yesterday)) return `yesterday ${text}`;
  return `${it.getFullYear()}-${two(it.getMonth() + 1)}-${two(it.getDate())} ${text}`;
}

export function read_time(text: unknown): Date | null {
  if (typeof text !== 'string') return null;
  const it = new Date(text);
  return Number.isNaN(it.getTime()) ? null : it;
}

// Characters that turn the direction of the text around them are named instead: what somebody else
// wrote shall not change how the page reads.
export const plain = (text: string): string => text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
  (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`);
export const clip = (text: string, length = 160): string => plain(text.length > length ? `${text.slice(0, length)}…` : text);
