// A page of another origin in a real browser: it listens with a key by fetch, and without one
// by EventSource, also over a restart of the server; and it reads why it was refused. Leaves
// live_page.png to be looked at.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { chromium } from 'playwright-core';

import { binary, serve, start } from './server.mjs';

const browser = process.env.CHROMIUM ?? '/usr/bin/chromium';
if (!existsSync(browser)) {
  console.log('Chromium is not installed');
  process.exit(77);
}
const patience = 60_000; // only a failing test waits for it

async function servePage(t) {
  const page = await readFile(new URL('live_page.html', import.meta.url));
  const server = http.createServer((request, answer) => {
    answer.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    answer.end(page);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

async function openPage(t) {
  const window = await chromium.launch({
    executablePath: browser,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  t.after(() => window.close());
  const page = await window.newPage({ viewport: { width: 900, height: 500 } });
  page.setDefaultTimeout(patience);
  return page;
}

async function create(url, id) {
  const answer = await fetch(`${url}/orders`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ order_id: id, user_id: 1, item_ids: [1, 2], total_amount: 9.5 }),
  });
  assert.equal(answer.status, 201);
}

test('a page of another origin follows orders, also over a restart', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'orderproc-page-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const origin = await servePage(t);
  const serveOn = (listen) => start(binary, ['serve', '--listen', listen, '--storage',
    `sqlite:${folder}/orders.db`, '--processor', 'simulate:10ms', '--cors-origin', origin],
  /^orderproc listens on (\S+)/);
  let server = await serveOn('127.0.0.1:0');
  t.after(() => server.stop());
  const page = await openPage(t);
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  await page.goto(`${origin}/?server=${encodeURIComponent(server.url)}`);
  // A field that another origin may read only because the server says so.
  await page.locator('#fetch-state', { hasText: /^connected at \d+-\d+$/ }).waitFor();
  await page.locator('#source-state', { hasText: /^connected$/ }).waitFor();

  await create(server.url, 'A-1');
  await create(server.url, 'A-2');
  await page.locator('#A-1 .COMPLETED').waitFor();
  await page.locator('#A-2 .COMPLETED').waitFor();
  await page.locator('#source-count', { hasText: /^6$/ }).waitFor();

  // The same address again: both come back by themselves, and miss nothing.
  const { port } = new URL(server.url);
  await server.stop();
  server = await serveOn(`127.0.0.1:${port}`);
  await create(server.url, 'A-3');
  await page.locator('#A-3 .COMPLETED').waitFor();
  await page.locator('#source-count', { hasText: /^9$/ }).waitFor();

  const got = await page.evaluate(() => ({ ...window.positions, resets: window.resets }));
  const offsets = (ids) => ids.map((id) => Number(id.split('-')[1]));
  assert.deepEqual(offsets(got.fetch), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(offsets(got.source), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(got.resets, 0);
  assert.deepEqual(wrong, []);
  await page.screenshot({ path: 'live_page.png' });
});

test('a page of an origin that is not allowed reads nothing', async (t) => {
  const origin = await servePage(t);
  const server = await serve('--no-worker', '--cors-origin', 'https://shop.example');
  t.after(() => server.stop());
  const page = await openPage(t);
  await page.goto(`${origin}/?server=${encodeURIComponent(server.url)}`);
  await page.locator('#source-state', { hasText: /^coming again$/ }).waitFor();
  await page.locator('#fetch-state', { hasText: /^coming again$/ }).waitFor();
  assert.equal(await page.evaluate((url) => fetch(`${url}/healthz`).then(() => 'read', () => 'refused'),
    server.url), 'refused');
});

test('a page reads why it was refused, also when nothing of its request was read', async (t) => {
  const origin = await servePage(t);
  const page = await openPage(t);
  await page.goto(origin);
  const ask = (url) => page.evaluate((it) => fetch(it).then(async (answer) => [answer.status,
    (await answer.json()).code, Number(answer.headers.get('Retry-After')) > 0,
    answer.headers.get('X-Request-Id') !== null], (error) => [String(error)]), url);

  const full = await serve('--no-worker', '--cors-origin', origin, '--connections', '1');
  t.after(() => full.stop());
  const held = net.connect(new URL(full.url).port, '127.0.0.1');
  t.after(() => held.destroy());
  held.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(held, 'data');
  assert.deepEqual(await ask(`${full.url}/orders`), [503, 'too_many_connections', true, true]);

  const limited = await serve('--no-worker', '--cors-origin', origin, '--rate-limit', '0.001:1');
  t.after(() => limited.stop());
  assert.equal((await ask(`${limited.url}/orders`))[0], 200);
  assert.deepEqual(await ask(`${limited.url}/orders`), [429, 'rate_limited', true, true]);
});
