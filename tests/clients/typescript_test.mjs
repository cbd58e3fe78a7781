// The TypeScript client against the real server: it is compiled, and what was compiled is used.
//   tests/api/run FOLDER tests/clients/typescript_test.mjs ORDERPROC_BINARY

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { serve, serveWithKeys } from '../api/server.mjs';
import { flakyProxy } from './flaky_proxy.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const source = join(root, 'bindings/clients/typescript');
const folder = mkdtempSync(join(tmpdir(), 'orderproc-client-'));
const TOP = 2n ** 63n - 1n;
const soon = { firstWait: 10, longestWait: 5000 };
let api; // the compiled client
let json;
let events;
let shared; // a server for the tests that need no other
let market; // one whose orders have another model, for which a client is generated
let marketApi;

before(async () => {
  cpSync(join(source, 'src'), join(folder, 'src'), { recursive: true });
  cpSync(join(here, 'typed_use.ts'), join(folder, 'typed_use.ts'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  market = await serve('--no-worker', '--model', join(root, 'docs/models/marketplace.json'));
  cpSync(join(source, 'src'), join(folder, 'market/src'), { recursive: true });
  execFileSync('/usr/bin/python3', [join(root, 'bindings/clients/generate.py'), `${market.url}/openapi.json`,
    '--typescript', join(folder, 'market')]);
  const config = JSON.parse(readFileSync(join(source, 'tsconfig.json'), 'utf8'));
  config.compilerOptions.rootDir = '.';
  config.include = ['src', 'market', 'typed_use.ts'];
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  try {
    execFileSync(process.execPath, [resolve('node_modules/typescript/bin/tsc')], { cwd: folder, encoding: 'utf8' });
  } catch (error) {
    assert.fail(error.stdout);
  }
  const load = (name) => import(pathToFileURL(join(folder, 'dist/src', name)));
  api = await load('index.js');
  json = await load('json.js');
  events = await load('events.js');
  marketApi = await load('../market/src/index.js');
  shared = await serve('--no-worker');
});

after(async () => {
  await shared?.stop();
  await market?.stop();
  rmSync(folder, { recursive: true });
});

const order = (more = {}) => ({ user_id: 7, item_ids: [1, 1, 2], total_amount: '149.90', ...more });
const make = (url, more = {}) => new api.Client({ url, retry: soon, reconnectWait: 20, ...more });

async function refused(promise, code) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof api.ApiError, error);
    assert.equal(error.code, code);
    return true;
  });
}

test('an order from its creation to its end', async () => {
  const client = make(shared.url);
  const made = await client.createOrder(order({
    order_id: 'A-1', user_id: TOP, item_ids: [TOP, 1], metadata: { weight: 1.5, n: TOP },
  }));
  assert.deepEqual([made.order_id, made.status, made.version], ['A-1', 'PENDING', 1]);
  assert.deepEqual([made.user_id, made.item_ids], [TOP, [TOP, 1n]]);
  assert.equal(made.total_amount, '149.90');
  assert.deepEqual(made.metadata, { weight: 1.5, n: TOP });
  assert.ok(made.created_at instanceof Date && Math.abs(made.created_at - Date.now()) < 600_000);
  assert.deepEqual(await client.getOrder('A-1'), made);

  const edited = await client.patchOrder('A-1', { total_amount: 150, metadata: made.metadata },
    { ifVersion: 1 });
  assert.deepEqual([edited.total_amount, edited.version, edited.metadata], ['150.00', 2, made.metadata]);
  await refused(client.patchOrder('A-1', { total_amount: '1' }, { ifVersion: 1 }), 'precondition_failed');
  const annotated = await client.annotateOrder('A-1', { annotations: { note: 'at the door' } });
  assert.deepEqual(annotated.annotations, { note: 'at the door' });
  assert.equal((await client.replaceOrder('A-1', order())).version, 4);
  assert.equal((await client.cancelOrder('A-1')).status, 'CANCELLED');
  await refused(client.patchOrder('A-1', { user_id: 1 }), 'not_editable');
  const entries = [];
  for await (const it of client.iterateHistory('A-1')) entries.push(it.event);
  assert.deepEqual(entries, ['create', 'edit', 'annotate', 'edit', 'cancel']);
  assert.equal(await client.deleteOrder('A-1'), undefined);
  await refused(client.getOrder('A-1'), 'not_found');
});

test('lists go on from page to page, and batches answer in their places', async () => {
  const client = make(shared.url);
  const names = [0, 1, 2, 3, 4, 5, 6].map((n) => `P-${n}`);
  const batch = await client.createOrders([
    ...names.map((it) => order({ order_id: it, user_id: 77 })), order({ item_ids: [] }), order({ order_id: 'P-0' }),
  ]);
  assert.deepEqual(batch.items.map((it) => it.status), [...names.map(() => 201), 422, 409]);
  assert.equal(batch.items[0].order.total_amount, '149.90');
  assert.equal(batch.items[7].problem.errors[0].pointer, '#/item_ids');
  assert.equal(batch.items[8].problem.code, 'order_exists');
  const listed = [];
  for await (const it of client.iterateOrders({ user_id: 77, sort: 'created_at', limit: 2 })) listed.push(it.order_id);
  assert.deepEqual(listed, names);
  const page = await client.listOrders({ status: ['pending', 'failed'], user_id: 77, total: true, limit: 3 });
  assert.deepEqual([page.items.length, page.total.value], [3, 7]);
  const later = new Date(Date.now() + 3_600_000);
  assert.deepEqual((await client.listOrders({ created_from: later })).items, []);
  assert.equal((await client.getHealth()).status, 'ok');
  assert.ok('orders' in await client.getModel());
});

test('the example of the README, with the package as it is shipped', async (t) => {
  const installed = join(folder, 'node_modules/orderproc-client');
  cpSync(join(folder, 'dist/src'), join(installed, 'dist'), { recursive: true });
  cpSync(join(source, 'package.json'), join(installed, 'package.json'));
  cpSync(join(source, 'example.mjs'), join(folder, 'example.mjs'));
  const server = await serve('--processor', 'simulate:10ms');
  t.after(() => server.stop());
  const example = spawn(process.execPath, ['example.mjs', server.url], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  for await (const some of example.stdout) said += some;
  assert.match(said, /refused: transition_refused/);
  assert.ok(readFileSync(join(source, 'README.md'), 'utf8').includes(`${said}\`\`\``), said);
});

const PAGE = `<!doctype html><script type="module">
import { answerOf, Client } from './index.js';
const client = new Client({ url: location.hash.slice(1) });
try {
  const made = await client.createOrder({ user_id: 9007199254740993n, item_ids: [1], total_amount: '1.10' });
  const seen = [made.total_amount, String(made.user_id), answerOf(made).requestId !== undefined];
  for await (const it of client.streamOrderEvents(made.order_id)) {
    seen.push(it.event.data.event);
    if (it.event.data.event === 'create') await client.cancelOrder(made.order_id);
  }
  window.said = seen.join();
} catch (error) {
  window.said = String(error);
}
</script>`;

test('in a page of another origin', async (t) => {
  const { open } = await import(pathToFileURL(resolve('browser.mjs')));
  const browser = await open();
  if (!browser) {
    t.skip('Chromium is not installed');
    return;
  }
  t.after(() => browser.close());
  const site = createServer((asked, answer) => {
    const script = asked.url.endsWith('.js');
    answer.writeHead(200, { 'Content-Type': script ? 'text/javascript' : 'text/html' })
      .end(script ? readFileSync(join(folder, 'dist/src', asked.url)) : PAGE);
  });
  await new Promise((done) => { site.listen(0, '127.0.0.1', done); });
  const origin = `http://127.0.0.1:${site.address().port}`;
  const server = await serve('--no-worker', '--cors-origin', origin);
  t.after(async () => {
    site.closeAllConnections();
    site.close();
    await server.stop();
  });
  const page = await browser.newPage();
  await page.goto(`${origin}/#${server.url}`);
  const said = await page.waitForFunction(() => window.said, undefined, { timeout: 60_000 });
  assert.equal(await said.jsonValue(), '1.10,9007199254740993,true,create,cancel');
});

test('refusals carry the code of the problem', async (t) => {
  const client = make(shared.url);
  await assert.rejects(client.createOrder(order({ user_id: 0, total_amount: '1.001' })), (error) => {
    assert.deepEqual(error.problem.errors.map((it) => [it.pointer, it.code]),
      [['#/user_id', 'out_of_range'], ['#/total_amount', 'too_many_decimals']]);
    return error.code === 'validation' && error.status === 422 && /#\/user_id/.test(error.message);
  });
  for (const name of ['a/b', '..', 'ü', 'a?b']) await refused(client.getOrder(name), 'not_found');
  await assert.rejects(client.getOrder(''), RangeError);
  const proxy = await flakyProxy(t, shared.url);
  for (const status of [404, 200]) {
    proxy.plan = [[status, {}]];
    await assert.rejects(make(proxy.url).getOrder('A'), (error) =>
      error instanceof api.UnexpectedAnswerError && error.status === status);
  }
});

test('orders of another model', async () => {
  const client = new marketApi.Client({ url: market.url });
  const made = await client.createOrder({
    user_id: 'u-1', tenant: 'shop', total_amount: '20.00', lines: [{ sku: 'A', quantity: 2, unit_amount: '10.00' }],
    attributes: { reference: 'R-1', priority: 3, deliver_by: new Date(0), commission: '1.50' },
  });
  assert.deepEqual(made.lines, [{ sku: 'A', quantity: 2, unit_amount: '10.00' }]);
  assert.deepEqual(made.attributes,
    { reference: 'R-1', commission: '1.50', deliver_by: new Date(0), priority: 3n, business: false });
  const found = await client.listOrders({ 'attribute.reference': 'R-1' });
  assert.deepEqual(found.items, [made]);
});

test('answers that need no server', async () => {
  const answered = (status, headers, body) => make('http://127.0.0.1', {
    fetch: async () => new Response(JSON.stringify(body), { status, headers }),
  });
  const state = await answered(503, {}, { status: 'unavailable', codes: ['stopping'] }).getReadiness();
  assert.deepEqual([state.status, api.answerOf(state).status], ['unavailable', 503]);
  const problem = {
    type: 'urn:orderproc:problem:overloaded', title: 'Overloaded', status: 503, code: 'overloaded', request_id: 'r-1',
  };
  const headers = { 'Content-Type': 'application/problem+json', 'Retry-After': '3600' };
  await assert.rejects(
    answered(503, headers, problem).createOrder(order(), { idempotencyKey: 'k' }),
    (error) => error.code === 'overloaded' && error.retryAfter === 3600 && error.idempotencyKey === 'k'
      && error.attempts === 1);
  const group = { orders: 0, looked_at: 0, complete: true, groups: [], other_orders: 0 };
  assert.deepEqual(await answered(200, {}, group).getDeadLetters(), group);
  const page = { items: [], next_cursor: null };
  assert.deepEqual(await answered(200, {}, page).getDeadLetters({ group: 'reason' }), page);
});

test('a key that is wrong, and one that may not', async (t) => {
  const keyed = mkdtempSync(join(tmpdir(), 'orderproc-keys-'));
  const server = await serveWithKeys(keyed, { shop: 'orders:read' }, '--no-worker');
  t.after(async () => {
    await server.stop();
    rmSync(keyed, { recursive: true });
  });
  const key = server.keys.shop;
  assert.deepEqual((await make(server.url, { key }).getWhoami()).scopes, ['orders:read']);
  await refused(make(server.url, { key }).createOrder(order()), 'forbidden');
  const wrong = make(server.url, { key: key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a') });
  await refused(wrong.getOrder('A'), 'unauthenticated');
  await refused(wrong.streamEvents()[Symbol.asyncIterator]().next(), 'unauthenticated');
});

test('a change is sent again with its key and done once', async (t) => {
  const proxy = await flakyProxy(t, shared.url);
  const client = make(proxy.url);
  proxy.plan = ['refuse', 'lose', [503, { 'Retry-After': '0' }], [429, { 'Retry-After': '0' }]];
  const made = await client.createOrder(order({ order_id: 'R-1' }));
  assert.equal(api.answerOf(made).replayed, true);
  const keys = new Set(proxy.seen.map((it) => it.headers['idempotency-key']));
  assert.deepEqual([proxy.seen.length, keys.size], [5, 1]);
  proxy.seen = [];
  await client.createOrder(order({ order_id: 'R-2' }));
  assert.ok(!keys.has(proxy.seen[0].headers['idempotency-key']));
});

test('what cannot be repeated is not, and long waits are not waited for', async (t) => {
  const proxy = await flakyProxy(t, shared.url);
  const client = make(proxy.url);
  for (const what of ['refuse', 'lose', [503, { 'Retry-After': '0' }]]) {
    proxy.plan = [what];
    proxy.seen = [];
    await assert.rejects(client.resumeWork(), (error) => error.attempts === 1
      && (error instanceof api.ConnectionFailedError || error instanceof api.UnexpectedAnswerError));
    assert.equal(proxy.seen.length, 1);
  }
  proxy.plan = [[503, { 'Retry-After': '3600' }]];
  proxy.seen = [];
  await assert.rejects(client.listOrders(), api.UnexpectedAnswerError);
  assert.equal(proxy.seen.length, 1);
});

test('who gives up can go on with the same key', async (t) => {
  const proxy = await flakyProxy(t, shared.url);
  const client = make(proxy.url, { retry: { ...soon, attempts: 2 } });
  proxy.plan = ['lose', 'lose'];
  const failed = await client.createOrder(order({ order_id: 'G-1' })).catch((error) => error);
  assert.ok(failed instanceof api.ConnectionFailedError);
  assert.equal(failed.attempts, 2);
  const { idempotencyKey } = failed;
  const made = await client.createOrder(order({ order_id: 'G-1' }), { idempotencyKey });
  assert.equal(api.answerOf(made).replayed, true);
  await refused(client.createOrder(order({ order_id: 'G-2' }), { idempotencyKey }), 'idempotency_mismatch');
});

test('a call that is given up ends at once', async (t) => {
  const proxy = await flakyProxy(t, shared.url);
  proxy.plan = [[503, { 'Retry-After': '5' }]];
  const controller = new AbortController();
  const call = make(proxy.url).listOrders({ signal: controller.signal });
  setImmediate(() => controller.abort(new Error('enough')));
  await assert.rejects(call, /enough/);
});

test('a stream goes on when the server starts again', async (t) => {
  const kept = mkdtempSync(join(tmpdir(), 'orderproc-stream-'));
  const options = ['--no-worker', '--storage', `sqlite:${join(kept, 'orders.db')}`];
  let server = await serve(...options);
  t.after(async () => {
    await server.stop();
    rmSync(kept, { recursive: true });
  });
  const proxy = await flakyProxy(t, server.url);
  const client = make(proxy.url);
  await client.createOrder(order());
  const stream = client.streamEvents({ after: '0' });
  const changes = stream[Symbol.asyncIterator]();
  const seen = [];
  const next = async () => seen.push((await changes.next()).value.event);
  await next();
  for (const how of ['SIGKILL', 'SIGTERM']) {
    await client.createOrder(order());
    await next();
    server.child.kill(how);
    await server.stop();
    server = await serve(...options);
    proxy.target = server.url;
    await client.createOrders([order(), order()]);
    await next();
    await next();
  }
  assert.equal(stream.position, seen.at(-1).id);
  await changes.return();
  const journal = await client.getJournal({ after: '0' });
  assert.deepEqual(seen, journal.items);
  assert.equal(seen.length, 7);
  const resumed = proxy.seen.filter((it) => it.headers['last-event-id'] !== undefined);
  assert.equal(resumed.at(-1).headers['last-event-id'], seen[4].id);
});

test('a position of another journal resets', async () => {
  const client = make(shared.url);
  const page = await client.listOrders({ limit: 1 });
  const controller = new AbortController();
  const kinds = [];
  let last;
  for await (const it of client.streamEvents({ after: '12345-678', signal: controller.signal })) {
    kinds.push(it.kind);
    if (it.kind === 'reset') await client.createOrder(order({ order_id: 'S-2' }));
    else if (it.event.data.order_id === 'S-2') {
      last = it.event.id;
      controller.abort();
    }
  }
  assert.equal(kinds.indexOf('reset'), 0);
  for await (const it of client.streamEvents({ after: api.answerOf(page).feedPosition })) {
    assert.equal(it.event.id, last);
    break;
  }
});

test('the stream of an order ends with it', async (t) => {
  const client = make(shared.url);
  await client.createOrder(order({ order_id: 'S-3' }));
  await client.cancelOrder('S-3');
  const seen = [];
  for await (const it of client.streamOrderEvents('S-3')) seen.push(it.event.data.event);
  assert.deepEqual(seen, ['create', 'cancel']);
  const proxy = await flakyProxy(t, shared.url);
  proxy.plan = ['refuse', 'refuse', 'refuse', 'refuse', 'refuse'];
  await assert.rejects(make(proxy.url).streamEvents()[Symbol.asyncIterator]().next(), api.ConnectionFailedError);
  assert.equal(proxy.seen.length, 5);
});

test('blocks in any pieces', () => {
  const text = '\ufeffid: 1-2\r\ndata: a\r\ndata: b\r\n\r\n: comment\nretry: 5\nevent: reset\ndata:c\n\ndata\r\rdata: lost';
  for (let size = 1; size < text.length; size += 1) {
    const blocks = new events.Blocks();
    const found = [];
    for (let at = 0; at < text.length; at += size) found.push(...blocks.feed(text.slice(at, at + size)));
    assert.deepEqual(found, [{ id: '1-2', event: '', data: 'a\nb' }, { event: 'reset', data: 'c', retry: 5 }, { event: '', data: '' }]);
  }
});

test('JSON keeps every digit', () => {
  const text = '{"a":[1,-2.50,90071992547409.91,9223372036854775807,1e2],"b":{"":"\\u00fc\\\\\\"","c":[]},"d":[true,false,null,{}]}';
  assert.deepEqual(json.readJson(text, 'object'), {
    a: [1, -2.5, 90071992547409.91, TOP, 100], b: { '': 'ü\\"', c: [] }, d: [true, false, null, {}],
  });
  assert.equal(json.writeJson({ n: TOP, t: new Date(0), u: undefined, a: [1, undefined] }),
    '{"n":9223372036854775807,"t":"1970-01-01T00:00:00.000Z","a":[1,null]}');
  const long = JSON.stringify({ text: 'x"\\'.repeat(1_000_000) });
  assert.deepEqual(json.readJson(long, 'object'), JSON.parse(long));
  for (const wrong of ['', '{', '[1,]', '{"a"}', '{"a":1,}', '"a', '01', '1 2', 'nul', '"\n"', '[1 2]', '['.repeat(100_000)]) {
    assert.throws(() => json.readJson(wrong, 'object'), SyntaxError, wrong.slice(0, 9));
  }
  assert.equal(Object.getPrototypeOf(json.readJson('{"__proto__":{"a":1}}', 'object')), Object.prototype);
  assert.throws(() => json.writeJson({ a: NaN }), RangeError);
});

test('webhooks: what is genuine and what is not', async (t) => {
  const came = [];
  let arrived = () => {};
  const receiver = createServer((asked, answer) => {
    const parts = [];
    asked.on('data', (part) => parts.push(part)).on('end', () => {
      answer.writeHead(204).end();
      came.push([asked.headers, Buffer.concat(parts)]);
      arrived();
    });
  });
  await new Promise((done) => { receiver.listen(0, '127.0.0.1', done); });
  const kept = mkdtempSync(join(tmpdir(), 'orderproc-hooks-'));
  const { port } = receiver.address();
  const server = await serveWithKeys(kept, { hooks: 'webhooks,orders:write' }, '--no-worker',
    '--insecure-secrets', '--webhook-allow', '127.0.0.0/8', '--webhook-allow-http', '--webhook-ports', `${port}`);
  t.after(async () => {
    await server.stop();
    receiver.closeAllConnections();
    receiver.close();
    rmSync(kept, { recursive: true });
  });
  const next = async () => {
    while (came.length === 0) await new Promise((done) => { arrived = done; });
    return came.shift();
  };
  const client = make(server.url, { key: server.keys.hooks });
  const made = await client.createWebhook({ url: `http://127.0.0.1:${port}/` });
  await client.createOrder(order({ order_id: 'W-1' }));
  let [headers, body] = await next();
  const webhook = new api.Webhook(made.secret);
  const message = await webhook.verify(headers, body);
  assert.deepEqual([message.event.data.order_id, message.event.data.order.total_amount], ['W-1', '149.90']);
  const sent = message.sentAt.getTime();
  await webhook.verify(new Headers(headers), body.toString(), sent + 300_000);
  const denied = (reason, ...given) => assert.rejects(
    (given[3] ?? webhook).verify(given[0], given[1], given[2]),
    (error) => error instanceof api.WebhookError && error.reason === reason);
  await denied('timestamp', headers, body, sent + 301_000);
  await denied('timestamp', headers, body, sent - 301_000);
  await denied('signature', headers, body.toString().replace('149.90', '149.91'));
  await denied('signature', { ...headers, 'webhook-id': 'another' }, body);
  await denied('signature', headers, body, undefined, new api.Webhook(`whsec_${'A'.repeat(44)}`));
  await denied('missing', {}, body);
  await denied('missing', { ...headers, 'webhook-timestamp': 'soon' }, body);

  const rotated = await client.rotateWebhook(made.id);
  await client.createOrder(order({ order_id: 'W-2' }));
  [headers, body] = await next();
  assert.equal(headers['webhook-signature'].split(' ').length, 2);
  for (const secrets of [made.secret, rotated.secret, [rotated.secret, made.secret]]) {
    assert.equal((await new api.Webhook(secrets).verify(headers, body)).event.data.order_id, 'W-2');
  }
  await client.testWebhook(made.id);
  [headers, body] = await next();
  assert.equal((await webhook.verify(headers, body)).event, undefined);
  assert.throws(() => new api.Webhook(`whsec_!${'A'.repeat(40)}`), (error) =>
    error instanceof RangeError && !error.message.includes('AAAA'));
});
