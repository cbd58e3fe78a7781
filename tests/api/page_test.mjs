// The page at /docs in a browser, also behind a proxy with a path prefix: nothing is blocked or
// missing, and an order can be made.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { open } from './browser.mjs';
import { behindPrefix, serve, serveWithKeys } from './server.mjs';

test('the page shows the API and tries it out', (t) => tryOut(t, (server) => ({ url: server.url, stop() {} })));
test('the same behind a path prefix', (t) => tryOut(t, (server) => behindPrefix(server.url, '/api')));

async function tryOut(t, reach) {
  const browser = await open();
  if (!browser) return t.skip('no Chromium');
  const server = await serve('--no-worker');
  const front = await reach(server);
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    const complaints = [];
    page.on('console', (it) => ['error', 'warning'].includes(it.type()) && complaints.push(it.text()));
    page.on('pageerror', (it) => complaints.push(it.message));
    page.on('requestfailed', (it) => complaints.push(`${it.url()} ${it.failure().errorText}`));
    const elsewhere = [];
    page.on('request', (it) => it.url().startsWith(front.url) || it.url().startsWith('data:') || elsewhere.push(it.url()));

    await page.goto(`${front.url}/docs`);
    if (await page.getByText('Swagger UI is not in this build').count()) {
      return t.skip('built without npm');
    }
    const create = page.locator('#operations-Orders-create_order');
    await create.waitFor();
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/docs.png` });
    await create.locator('.opblock-summary-control').click();
    await create.getByRole('button', { name: 'Try it out' }).click();
    await create.locator('textarea.body-param__text').fill(
      '{"order_id": "ORD-PAGE", "user_id": 123, "item_ids": [1001], "total_amount": 9.99}');
    await create.getByRole('button', { name: 'Execute' }).click();
    const live = create.locator('.live-responses-table');
    await live.waitFor();
    assert.match(await live.locator('tbody .response-col_status').first().innerText(), /^201/);
    assert.match(await live.innerText(), /ORD-PAGE/);
    if (process.env.SCREENSHOTS) {
      await create.screenshot({ path: `${process.env.SCREENSHOTS}/created.png` });
    }
    const stored = await fetch(`${front.url}/orders/ORD-PAGE`);
    assert.equal((await stored.json()).total_amount, 9.99);

    assert.equal(await page.locator('.opblock').count(), await page.evaluate(async () => {
      const api = await (await fetch('openapi.json')).json();
      return Object.values(api.paths).flatMap((it) => Object.keys(it)).length;
    }));
    const preflight = page.locator('#operations-Preflights-options_orders');
    await preflight.locator('.opblock-summary-control').click();
    await preflight.locator('.parameter__name', { hasText: 'X-Request-Id' }).waitFor();
    assert.equal((await preflight.locator('.parameter__name').allInnerTexts()).filter((it) => !it).length, 0);
    assert.deepEqual(elsewhere, []);
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
    front.stop();
    await server.stop();
  }
}

test('Authorize sends a key, and keeps nothing', async (t) => {
  const browser = await open();
  if (!browser) return t.skip('no Chromium');
  const folder = mkdtempSync(join(tmpdir(), 'orderproc-page-'));
  const server = await serveWithKeys(folder, { page: 'orders:read' }, '--no-worker');
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    await page.goto(`${server.url}/docs`);
    if (await page.getByText('Swagger UI is not in this build').count()) {
      return t.skip('built without npm');
    }
    const statusOfList = async () => {
      const list = page.locator('#operations-Orders-list_orders');
      await list.waitFor();
      if (!await list.getByRole('button', { name: 'Execute' }).count()) {
        // After a reload the page opens the operation that the URL names.
        if (!await list.locator('.opblock-body').count()) await list.locator('.opblock-summary-control').click();
        await list.getByRole('button', { name: 'Try it out' }).click();
      }
      const answered = page.waitForResponse((it) => new URL(it.url()).pathname === '/orders');
      await list.getByRole('button', { name: 'Execute' }).click();
      return (await answered).status();
    };
    assert.equal(await statusOfList(), 401);
    await page.locator('.auth-wrapper .btn.authorize').first().click();
    await page.locator('.auth-container input').first().fill(server.keys.page);
    await page.locator('.auth-btn-wrapper .btn.authorize').first().click();
    await page.locator('.btn-done').first().click();
    assert.equal(await statusOfList(), 200);
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
    assert.ok(!kept.includes(server.keys.page), kept);
    await page.reload();
    assert.equal(await statusOfList(), 401);
  } finally {
    await browser.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  }
});
