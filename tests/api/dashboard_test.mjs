// The operator's page in a browser, over a real server: every section, signing in, who may do what,
// what somebody else wrote, keys, narrow and dark screens, faults, and its budgets.
//   node dashboard_test.mjs ORDERPROC FOLDER_OF_ITS_PACKAGES SOURCES

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { ask, card, heading, hostile, patience, sections, seed, settled, shoot, start, visit } from './dashboard.mjs';
import { behindPrefix, binary, serve } from './server.mjs';

const [packages, sources] = process.argv.slice(3);
const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');
if (!existsSync(join(packages, 'node_modules'))) {
  console.log('built without npm');
  process.exit(77);
}

let on;
before(async () => {
  on = await start();
  const made = await ask(on, '/webhooks', { method: 'POST', body: { url: 'https://receiver.invalid/hooks', events: ['create'], description: 'the warehouse' } });
  await ask(on, `/webhooks/${made.id}/pause`, { method: 'POST' });
  await seed(on);
}, { timeout: 10 * patience });
after(() => on?.end());

const signed_out = (page) => page.getByLabel('API key');

async function sign_in(page, key) {
  await signed_out(page).fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test('a key is asked for, kept by the tab alone, and forgotten when somebody signs out', async () => {
  const { page, requests, close } = await visit(on, { key: null });
  await sign_in(page, 'op_live_wrong');
  await page.getByRole('alert').filter({ hasText: 'does not take this key' }).waitFor();
  await sign_in(page, on.keys.eraser);
  await page.getByRole('alert').filter({ hasText: 'refuses such keys' }).waitFor();
  assert.equal(await page.evaluate(() => JSON.stringify({ ...sessionStorage })), '{}');
  await sign_in(page, on.keys.anna);
  await page.locator('.who', { hasText: 'key:anna · operator' }).waitFor();
  // A link sends no key.
  assert.equal(await page.getByRole('link', { name: 'Metrics' }).count(), 0);
  const elsewhere = await page.evaluate(() => JSON.stringify([{ ...localStorage }, document.cookie, location.href, document.body.outerHTML]));
  assert.ok(!elsewhere.includes(on.keys.anna));
  assert.ok(requests.every((it) => !it.url.includes('op_')));
  await page.reload();
  await page.locator('.who', { hasText: 'key:anna' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signed_out(page).waitFor();
  assert.equal(await page.evaluate(() => JSON.stringify({ ...sessionStorage })), '{}');
  await page.reload();
  await signed_out(page).waitFor();
  await close();
});

test('a browser that forbids storage keeps the key in memory', async () => {
  const { page, context, close } = await visit(on, { key: null });
  await context.addInitScript(() => {
    const forbid = () => { throw new DOMException('forbidden', 'SecurityError'); };
    Object.defineProperty(window, 'sessionStorage', { get: forbid });
  });
  await page.reload();
  await sign_in(page, 'op_live_wrong');
  await page.getByRole('alert').filter({ hasText: 'does not take this key' }).waitFor();
  await sign_in(page, on.keys.anna);
  await page.locator('.who', { hasText: 'key:anna' }).waitFor();
  await close();
});

test('the key is forgotten after 30 minutes without use, and not while the page is used', async () => {
  const { page, close } = await visit(on, { clock: true, at: '#workers' });
  await page.clock.fastForward(20 * 60_000);
  await page.locator('body').click();
  await page.clock.fastForward(20 * 60_000);
  await page.locator('.who').waitFor();
  await page.clock.fastForward(11 * 60_000);
  await page.getByText('not used for 30 minutes').waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem('orderproc.key')), null);
  await close();
});

test('the overview says what needs a person, with numbers and charts', async () => {
  const { page, complaints, close } = await visit(on);
  await page.getByRole('heading', { level: 1, name: /need/ }).waitFor();
  await page.getByRole('list', { name: 'What needs you' }).getByRole('link', { name: 'Look at them' }).first().waitFor();
  await page.locator('a.kpi', { hasText: 'Dead letters' }).filter({ hasText: '7' }).waitFor();
  await page.getByRole('img', { name: /^Orders a second: in / }).waitFor();
  await page.getByRole('img', { name: /goal 10/ }).waitFor();
  await card(page, 'chart Created to done').getByText('As a table').click();
  await card(page, 'chart Created to done').getByRole('columnheader', { name: 'p95' }).waitFor();
  await page.getByRole('link', { name: '1 h', exact: true }).click();
  await page.waitForResponse((it) => it.url().endsWith('stats?span=1h'));
  await card(page, 'feed').getByText('live', { exact: true }).waitFor();
  await ask(on, '/orders', { method: 'POST', body: { order_id: 'FEED-1', user_id: 1, item_ids: [1], total_amount: 1 } });
  await card(page, 'feed').locator('li', { hasText: 'FEED-1' }).filter({ hasText: 'COMPLETED' }).waitFor();
  await card(page, 'workers').getByText('working').first().waitFor();
  await card(page, 'webhooks').getByText('paused').waitFor();
  await card(page, 'broker').getByText('This server has no broker').waitFor();
  assert.deepEqual(complaints, []);
  await close();
});

test('dead letters are retried by reason: counted first, then with progress', async () => {
  const { page, complaints, close } = await visit(on, { at: '#dead' });
  const row = card(page, 'dead').locator('tbody tr', { hasText: 'payment gateway' });
  await row.getByRole('link').first().click();
  await card(page, 'group').locator('tbody tr', { hasText: 'BROKEN-4' }).waitFor();
  await card(page, 'group').getByLabel('Mark BROKEN-4').check();
  await card(page, 'group').getByRole('button', { name: 'Retry 1 marked order' }).click();
  await page.getByRole('dialog').getByText('1 order would be retried').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await row.getByRole('button', { name: /^Retry 6 orders/ }).click();
  await page.getByRole('dialog').getByText('6 orders would be retried').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Cancel');
  await page.getByRole('button', { name: 'Retry 6', exact: true }).click();
  await page.getByRole('dialog').getByText('Retried 6 of 6 orders').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
  await settled(on, 'BROKEN-0');
  const { items } = await ask(on, '/orders/BROKEN-0/history');
  const retries = items.filter((it) => it.event === 'retry');
  assert.equal(retries.length, 1);
  assert.equal(retries[0].actor, 'key:anna');
  assert.deepEqual(complaints, []);
  // Whoever comes next does not see it.
  await page.locator('.progress').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await sign_in(page, on.keys.viewer);
  await card(page, 'dead').waitFor();
  assert.equal(await page.locator('.progress').count(), 0);
  await close();
});

test('orders are found by the beginning of their id, by user and by status, in pages', async () => {
  const { page, complaints, close } = await visit(on, { at: '#orders' });
  const rows = card(page, 'orders').locator('tbody tr');
  await rows.first().waitFor();
  assert.ok(await rows.count() <= 100);
  await page.getByRole('link', { name: 'Next page' }).click();
  await page.getByRole('link', { name: 'First page' }).waitFor();
  await page.goBack();
  await page.getByRole('searchbox', { name: 'Find an order' }).fill('LATER status:pending user:20417');
  await page.keyboard.press('Enter');
  await rows.filter({ hasText: 'LATER-1' }).waitFor();
  assert.equal(await rows.count(), 1);
  assert.match(page.url(), /#orders\?/);
  await page.getByRole('searchbox', { name: 'Find an order' }).fill('DONE-007');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('heading', { name: 'DONE-007' }).waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('searchbox', { name: 'Find an order' }).fill('NOTHING-LIKE-IT');
  await page.keyboard.press('Enter');
  await card(page, 'orders').getByText('No order is like this').waitFor();
  assert.deepEqual(complaints, []);
  await close();
});

test('one order says why it is not done, where its time went and what happened', async () => {
  const { page, complaints, close } = await visit(on, { at: '#orders?order=LONG-1' });
  const drawer = page.getByRole('dialog');
  await drawer.locator('.explain').getByText('FAILED').first().waitFor();
  await drawer.locator('.lanes li', { hasText: 'attempt 1' }).getByText('failed').waitFor();
  await drawer.locator('.hist li', { hasText: 'create' }).getByText('key:anna').waitFor();
  await drawer.locator('.hist li').first().getByText('what changed').click();
  await drawer.locator('.came', { hasText: 'status: "FAILED"' }).waitFor();
  await drawer.getByRole('button', { name: 'Retry…' }).click();
  await page.getByLabel('Reason').fill('the gateway is back');
  await page.getByRole('button', { name: 'Retry', exact: true }).click();
  await drawer.locator('.hist li', { hasText: 'retry' }).getByText('the gateway is back').waitFor();
  await page.goto(`${on.url}/#orders?order=NEVER-1`);
  await drawer.getByText('There never was an order').waitFor();
  assert.deepEqual(complaints.filter((it) => !it.includes('404')), []);
  await close();
});

test('what somebody else wrote is text, and numbers keep their digits', async () => {
  const { page, complaints, close } = await visit(on, { at: `#orders?order=${hostile}` });
  const json = page.getByRole('region', { name: 'The order as JSON' });
  await json.waitFor();
  const shown = await json.innerText();
  assert.ok(shown.includes('"user_id": 9223372036854775807'), shown);
  assert.ok(shown.includes('"total_amount": 90071992547409.91'), shown);
  assert.ok(shown.includes('"</script>": "</script><img src=x onerror=alert(1)>"'), shown);
  assert.ok(shown.includes('\\u202egnihton'), shown);
  await page.goto(`${on.url}/#dead`);
  await card(page, 'dead').getByText('</script><img').first().waitFor();
  assert.equal(await page.locator('img').count(), 0);
  assert.deepEqual(complaints, []);
  await close();
});

test('work is paused and resumed, and the page says so', async () => {
  const { page, complaints, close } = await visit(on, { at: '#workers' });
  await page.getByRole('button', { name: 'Pause work…' }).click();
  await page.getByLabel('Reason').fill('the gateway is away');
  await page.getByRole('button', { name: 'Pause all work' }).click();
  await card(page, 'pause').getByText('the gateway is away').waitFor();
  assert.equal((await ask(on, '/pauses')).items.length, 1);
  await card(page, 'pause').getByRole('button', { name: 'Resume…' }).click();
  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  await card(page, 'pause').getByText('Work goes on').waitFor();
  assert.equal((await ask(on, '/pauses')).items.length, 0);
  assert.deepEqual(complaints, []);
  await close();
});

test('webhooks show their attempts, and are paused and resumed', async () => {
  const { page, complaints, close } = await visit(on, { at: '#webhooks' });
  await card(page, 'endpoints').getByRole('link', { name: /the warehouse/ }).click();
  await card(page, 'deliveries').getByRole('button', { name: 'Resume' }).click();
  await card(page, 'deliveries').getByText('Resumed').waitFor();
  await card(page, 'deliveries').getByRole('button', { name: 'Pause…' }).click();
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await card(page, 'deliveries').getByRole('button', { name: 'Resume' }).waitFor();
  assert.deepEqual(complaints, []);
  await close();
});

test('the scopes of a key decide what is drawn', async () => {
  const viewer = await visit(on, { key: 'viewer', at: '#dead' });
  await card(viewer.page, 'dead').locator('tbody tr').first().waitFor();
  assert.equal(await viewer.page.getByRole('button', { name: /Retry|Pause/ }).count(), 0);
  assert.equal(await viewer.page.getByRole('link', { name: 'Webhooks' }).count(), 0);
  await viewer.page.goto(`${on.url}/#orders?order=BROKEN-1`);
  await viewer.page.locator('dialog .hist li').first().waitFor();
  assert.equal(await viewer.page.getByRole('button', { name: /Retry|Cancel/ }).count(), 0);
  await viewer.close();

  const orders = await visit(on, { key: 'orders', at: '#overview' });
  await heading(orders.page, 'Orders').waitFor();
  assert.equal((await orders.page.locator('nav a').allInnerTexts()).join(), 'Orders,API');
  assert.ok(orders.requests.every((it) => !/stats|findings|workers|dead-letters/.test(it.url)));
  await orders.close();

  const figures = await visit(on, { key: 'figures' });
  await figures.page.getByText('This key shows nothing here').waitFor();
  await figures.close();
});

for (const status of [403, 503]) {
  test(`each section says that it was answered ${status}, and recovers`, async () => {
    const { page, close } = await visit(on, { at: '#overview' });
    const refuse = (route) => route.fulfill({
      status, contentType: 'application/problem+json', body: JSON.stringify({ status, code: 'none', title: 'No', detail: 'said by the test' }),
    });
    const about = /\/(stats|findings|workers|pauses|dead-letters|orders|webhooks|events)(\?|$)/;
    await page.route(about, refuse);
    for (const [name, at] of sections.filter(([it]) => it !== 'order')) {
      await page.goto('about:blank');
      await page.goto(`${on.url}/${at}`);
      await page.locator('main .trouble', { hasText: 'said by the test' }).first().waitFor();
      await shoot(page, `${name}-${status}`);
    }
    await page.unroute(about);
    await page.goto('about:blank');
    await page.goto(`${on.url}/#dead`);
    await card(page, 'dead').locator('tbody tr').first().waitFor();
    await close();
  });
}

test('offline, the page keeps what it has in grey and says so, and goes on by itself', async () => {
  const { page, context, close } = await visit(on, { clock: true });
  await page.locator('.kpi', { hasText: 'Waiting' }).waitFor();
  await context.setOffline(true);
  await page.clock.runFor(6000);
  await page.locator('main > .trouble', { hasText: 'cannot be reached' }).first().waitFor();
  await page.locator('.stale .kpi', { hasText: 'Waiting' }).waitFor();
  await context.setOffline(false);
  await page.clock.runFor(6000);
  await page.locator('.kpi', { hasText: 'Waiting' }).waitFor();
  await page.locator('.stale .kpi').first().waitFor({ state: 'detached' });
  await close();
});

test('a key that is revoked while the page is open ends with the sign-in', async () => {
  const storage = `sqlite:${join(on.folder, 'orders.db')}`;
  const said = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  on.keys.guest = execFileSync(binary, ['keys', 'create', '--name', 'guest', '--scope', 'read,orders:read', '--storage', storage], said).trim();
  const { page, close } = await visit(on, { key: 'guest', at: '#workers' });
  await card(page, 'workers').locator('tbody tr').first().waitFor();
  execFileSync(binary, ['keys', 'revoke', on.keys.guest.split('_')[2], '--storage', storage], said);
  await page.getByText('does not take this key any more').waitFor();
  await signed_out(page).waitFor();
  await close();
});

test('all of it by keys, and letters can be turned off', async () => {
  const { page, close } = await visit(on, { at: '#overview' });
  await page.keyboard.press('/');
  await page.keyboard.type(hostile);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('heading', { name: hostile }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await heading(page, 'Dead letters').waitFor();
  await card(page, 'dead').locator('tbody tr').first().waitFor();
  await page.keyboard.press('j');
  assert.equal(await page.evaluate(() => document.activeElement.closest('tr')?.matches('[data-row]')), true);
  await page.keyboard.press('r');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('?');
  await page.getByLabel('Letters are commands').uncheck();
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await heading(page, 'Dead letters').waitFor();
  await close();
});

for (const dark of [false, true]) {
  for (const width of [1280, 320]) {
    test(`nothing is inaccessible or too wide: ${dark ? 'dark' : 'light'}, ${width} px`, async () => {
      const { page, complaints, close } = await visit(on, { dark, width });
      for (const [name, at, shown] of sections) {
        await page.goto('about:blank');
        await page.goto(`${on.url}/${at}`);
        await shown(page);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${name} is ${wide} px wide`);
        // Beside the page's policy, which takes no scripts of others: as a debugger does it.
        const found = await page.evaluate(`(() => { ${axe}; return axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }); })()`);
        assert.deepEqual(found.violations.map((it) => `${name}: ${it.id}: ${it.nodes.map((one) => one.html).join(' ')}`), []);
        await shoot(page, `${name}-${dark ? 'dark' : 'light'}-${width}`);
      }
      assert.deepEqual(complaints, []);
      await close();
    });
  }
}

test('it works behind a path prefix, from its own files alone', async () => {
  const front = await behindPrefix(on.url, '/shop/orders');
  const { page, complaints, requests, close } = await visit(on, { base: front.url, key: null });
  await sign_in(page, on.keys.anna);
  await page.locator('.kpi', { hasText: 'Waiting' }).waitFor();
  assert.deepEqual(requests.filter((it) => !it.url.startsWith(`${front.url}/`)).map((it) => it.url), []);
  assert.deepEqual(complaints.filter((it) => !it.includes('401')), []);
  await close();
  front.stop();
});

test('budgets: files, sizes, and requests of a page that nobody touches', async () => {
  const index = await fetch(`${on.url}/`);
  const policy = index.headers.get('Content-Security-Policy');
  assert.match(policy, /default-src 'none'.*require-trusted-types-for 'script'/);
  const html = await index.text();
  const files = [...html.matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)].map((it) => it[1]);
  assert.equal(files.length, 3);
  assert.ok(!/<style|style=|onclick|<script>/.test(html));
  for (const [file, most] of [['dashboard/app.js', 60], ['dashboard/style.css', 8]]) {
    const size = gzipSync(await (await fetch(`${on.url}/${file}`)).text(), { level: 9 }).length;
    assert.ok(size <= most * 1024, `${file} has ${size} bytes`);
  }
  for (const [name, at, shown] of sections) {
    const { page, requests, close } = await visit(on, { clock: true, at });
    await shown(page);
    const before_it = requests.length;
    for (let i = 0; i < 12; i += 1) {
      const answered = page.waitForResponse((it) => /\/stats\?/.test(it.url()));
      await page.clock.runFor(5000);
      await answered;
    }
    const asked = requests.slice(before_it).map((it) => it.url).filter((it) => !it.includes('/stats?'));
    assert.ok(asked.length <= 5, `${name} asked ${asked.length} times in a minute: ${asked.join(' ')}`);
    // Hidden, it asks for nothing.
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { value: true, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    const shown_last = requests.length;
    await page.clock.runFor(120_000);
    assert.deepEqual(requests.slice(shown_last).map((it) => it.url), []);
    await close();
  }
}, { timeout: 20 * patience });

test('without the page the root leads to the documents', async () => {
  const server = await serve('--no-worker', '--no-dashboard');
  const answer = await fetch(`${server.url}/`, { redirect: 'manual' });
  assert.equal(answer.status, 302);
  assert.equal(answer.headers.get('Location'), 'docs');
  assert.equal((await fetch(`${server.url}/dashboard/app.js`)).status, 404);
  await server.stop();
});

test('its types hold, strictly', () => {
  const folder = mkdtempSync(resolve('types-'));
  try {
    for (const it of ['src', 'tsconfig.json']) cpSync(join(sources, it), join(folder, it), { recursive: true });
    symlinkSync(join(packages, 'node_modules'), join(folder, 'node_modules'));
    assert.equal(JSON.parse(readFileSync(join(folder, 'tsconfig.json'), 'utf8')).compilerOptions.strict, true);
    execFileSync('node_modules/.bin/tsc', ['-p', folder], { encoding: 'utf8' });
    const all = execFileSync('sh', ['-c', 'cat src/*.ts*'], { cwd: folder, encoding: 'utf8' });
    assert.ok(!/dangerouslySetInnerHTML|innerHTML|: any\b|@ts-/.test(all));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

