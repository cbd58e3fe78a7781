// What the tests of the operator's page share: a server with orders in all states, one browser, and
// pages that note whatever complains.

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { open } from './browser.mjs';
import { serveWithKeys } from './server.mjs';

export const patience = 60_000; // only a failing test waits for it
export const hostile = 'HOSTILE-1';
const operator = 'orders:read,orders:write,read,operate,metrics,webhooks';

// Fails what is to be broken, with a text that would like to be markup; leaves alone what is held.
const processor = `#!/bin/sh
order=$(cat)
case "$order" in
*'"way":"broken"'*) echo 'payment gateway: 502 </script><img src=x onerror=alert(1)> Bad Gateway' >&2; exit 1;;
*'"way":"long"'*) head -c 3000 /dev/zero | tr '\\0' w >&2; exit 1;;
esac
`;

export async function start() {
  const browser = await open();
  if (!browser) {
    console.log('Chromium is not installed');
    process.exit(77);
  }
  const folder = mkdtempSync(join(tmpdir(), 'orderproc-dashboard-'));
  const program = join(folder, 'work');
  writeFileSync(program, processor);
  chmodSync(program, 0o755);
  const server = await serveWithKeys(folder, {
    anna: operator, viewer: 'orders:read,read', eraser: `${operator},erase`, orders: 'orders:read', figures: 'metrics',
  }, '--insecure-secrets', '--processor', `exec:${program}`, '--processor-width', '4');
  return {
    ...server,
    folder,
    browser,
    async end() {
      await browser.close();
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

export async function ask(on, path, { key = on.keys.anna, method = 'GET', body } = {}) {
  const answer = await fetch(`${on.url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

// Orders that are done, that failed for two reasons, that wait, and one that tries to break out.
export async function seed(on) {
  const order = (order_id, way, more = {}) => ({
    order_id, user_id: 20417, item_ids: [1001, 1002], total_amount: 149.9, currency: 'EUR', metadata: { way }, ...more,
  });
  await ask(on, '/orders/batch', { method: 'POST', body: [
    ...Array.from({ length: 130 }, (_, i) => order(`DONE-${String(i).padStart(3, '0')}`, 'good')),
    ...Array.from({ length: 5 }, (_, i) => order(`BROKEN-${i}`, 'broken')),
    order('LONG-1', 'long'),
    order('LATER-1', 'good', { not_before: '2099-01-01T00:00:00Z' }),
  ] });
  // By hand: JavaScript has no such numbers.
  await ask(on, '/orders', { method: 'POST', body: `{"order_id":"${hostile}","user_id":9223372036854775807,
    "item_ids":[9223372036854775807],"total_amount":"90071992547409.91","currency":"USD","metadata":{"way":"broken",
    "</script>":"</script><img src=x onerror=alert(1)>","rtl":"\u202egnihton","long":"${'w'.repeat(9000)}"}}` });
  await Promise.all([...Array.from({ length: 5 }, (_, i) => `BROKEN-${i}`), 'LONG-1', hostile, 'DONE-129']
    .map((id) => settled(on, id)));
}

// Waits for the end of the order's stream, which comes when nothing more happens to it.
export async function settled(on, id) {
  const answer = await fetch(`${on.url}/orders/${id}/events`, { headers: { Authorization: `Bearer ${on.keys.anna}` } });
  await answer.text();
}

// A page of a browser window of its own: { page, complaints, requests }.
export async function visit(on, { key = 'anna', at = '', base = on.url, width = 1280, dark = false, clock = false } = {}) {
  const context = await on.browser.newContext({
    viewport: { width, height: 900 }, colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce', timezoneId: 'UTC',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  const complaints = [];
  const requests = [];
  page.on('console', (it) => ['error', 'warning'].includes(it.type()) && complaints.push(it.text()));
  page.on('pageerror', (it) => complaints.push(it.message));
  page.on('dialog', (it) => { complaints.push(`a script asked: ${it.message()}`); it.dismiss(); });
  page.on('request', (it) => requests.push({ url: it.url(), method: it.method(), headers: it.headers() }));
  if (clock) await page.clock.install();
  if (key) {
    const text = on.keys[key];
    await context.addInitScript((it) => {
      if (location.protocol === 'about:') return;
      if (sessionStorage.getItem('orderproc.key') !== null || sessionStorage.getItem('tried') !== null) return;
      sessionStorage.setItem('tried', 'yes');
      sessionStorage.setItem('orderproc.key', it);
      sessionStorage.setItem('orderproc.used', String(Date.now()));
    }, text);
  }
  await page.goto(`${base}/${at}`);
  if (key) await page.locator('nav[aria-label=Sections]').waitFor();
  return { page, context, complaints, requests, close: () => context.close() };
}

export const card = (page, id) => page.locator(`[data-card="${id}"]`);
export const heading = (page, name) => page.getByRole('heading', { level: 1, name });

export const sections = [
  ['overview', '#overview', async (page) => { await card(page, 'dead').locator('tbody tr').first().waitFor(); await card(page, 'chart Orders a second').locator('canvas').waitFor(); }],
  ['orders', '#orders', (page) => card(page, 'orders').locator('tbody tr').first().waitFor()],
  ['dead', '#dead', (page) => card(page, 'dead').locator('tbody tr').first().waitFor()],
  ['order', '#orders?order=BROKEN-0', async (page) => { await page.locator('dialog .hist li').first().waitFor(); await page.locator('dialog .explain').waitFor(); }],
  ['workers', '#workers', (page) => card(page, 'workers').locator('tbody tr').first().waitFor()],
  ['webhooks', '#webhooks', (page) => card(page, 'endpoints').locator('tbody tr').first().waitFor()],
];

// Screenshots for whoever wants to look: SCREENSHOTS=folder.
export async function shoot(page, name) {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png`, fullPage: !name.startsWith('order-') });
}
