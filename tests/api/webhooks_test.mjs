// Webhooks at a real receiver, with npm's standardwebhooks: one that fails in every way, while the
// server that sends is killed again and again; and the receivers that the manual shows.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createMailServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

import { Webhook } from 'standardwebhooks';

import { binary, serve, serveWithKeys } from './server.mjs';

const kills = Number(process.env.WEBHOOK_KILLS ?? 3);
const examples = process.argv[3];
let folder;
let keysFile;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'orderproc-webhooks-'));
  keysFile = join(folder, 'secrets.key');
  writeFileSync(keysFile, 'MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n', { mode: 0o600 });
});
after(() => rmSync(folder, { recursive: true }));

// A receiver; answer(request, body, response) decides what becomes of each.
async function receive(answer) {
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('error', () => {});
    request.on('end', () => answer(request, Buffer.concat(parts).toString(), response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    url: `http://127.0.0.1:${server.address().port}/hooks`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const options = (...ports) => ['--secrets-key-file', keysFile, '--webhook-allow', '127.0.0.0/8', '--webhook-allow-http',
  '--webhook-ports', ports.join(',')];

function asking(server, key) {
  // others: statuses that do as well.
  return async (method, target, body, others = []) => {
    const answer = await fetch(`${server().url}${target}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok || others.includes(answer.status), `${method} ${target}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  };
}

const until = async (holds, what, seconds = 120) => {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `waited in vain: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
};

const order = (id) => ({ order_id: id, user_id: 7, item_ids: [1001], total_amount: 1.5 });
const scopes = { shop: 'orders:read,orders:write,webhooks' };

test(`nothing is lost, nor out of order, over ${kills} crashes and a receiver that fails in every way`, async (t) => {
  const home = mkdtempSync(join(folder, 'crash-'));
  const bodies = new Map(); // by webhook-id
  const versions = new Map(); // of orders: as they were first taken
  const taken = new Set();
  let webhook;
  let well = false;
  const receiver = await receive((request, body, response) => {
    const event = webhook.verify(body, request.headers); // throws: the test fails
    const id = request.headers['webhook-id'];
    assert.equal(bodies.get(id) ?? body, body, 'the same bytes at each attempt');
    bodies.set(id, body);
    const chance = well ? 1 : Math.random();
    if (chance < 0.01) return; // never answers
    if (chance < 0.08) return response.writeHead(500).end('no');
    if (chance < 0.11) return response.writeHead(429, { 'retry-after': '1' }).end();
    if (chance < 0.14) return response.writeHead(302, { location: '/elsewhere' }).end();
    if (chance < 0.17) return request.socket.destroy();
    if (chance < 0.20) return response.writeHead(500, { 'content-length': '1000' }).write('half', () => request.socket.destroy());
    if (!taken.has(id)) {
      taken.add(id);
      const { order_id: of, version } = event.data;
      versions.set(of, [...(versions.get(of) ?? []), version]);
    }
    return response.writeHead(204).end();
  });
  let server = await serveWithKeys(home, scopes, ...options(receiver.port));
  t.after(() => {
    server.child.kill('SIGKILL');
    receiver.stop();
  });
  const key = server.keys.shop;
  const ask = asking(() => server, key);
  const endpoint = await ask('POST', '/webhooks', { url: receiver.url });
  webhook = new Webhook(endpoint.secret);

  let made = 0;
  for (let round = 0; round <= kills; round += 1) {
    for (let i = 0; i < 20; i += 1) {
      made += 1;
      await ask('POST', '/orders', order(`O-${made}`));
      // Unless the worker was quicker.
      if (made % 3 === 0) await ask('POST', `/orders/O-${made}/cancel`, undefined, [409]);
    }
    const seen = taken.size;
    await until(() => taken.size > seen, 'an event in this round');
    await ask('POST', `/webhooks/${endpoint.id}/resume`);
    if (round === kills) break;
    server.child.kill('SIGKILL');
    await once(server.child, 'close');
    server = await serve('--storage', `sqlite:${join(home, 'orders.db')}`, ...options(receiver.port));
  }
  well = true;
  const journaled = async () => {
    const all = [];
    for (let at = '0', more = true; more;) {
      const page = await ask('GET', `/journal?limit=1000&after=${at}`);
      all.push(...page.items);
      ({ next: at, more } = page);
    }
    return all;
  };
  await until(async () => {
    await ask('POST', `/webhooks/${endpoint.id}/resume`);
    const all = await journaled();
    return all.every((it) => taken.has(`${it.id}.${endpoint.id}`));
  }, 'all events');
  for (const [id, seen] of versions) {
    assert.deepEqual(seen, [...seen].sort((a, b) => a - b), `versions of ${id}`);
  }
  assert.equal(versions.size, made);
  const failed = await ask('GET', `/webhooks/${endpoint.id}/attempts?status=failed&limit=1000`);
  assert.ok(failed.items.length > 0);
  await server.stop();
});

test('a signature is good for its bytes, its id, its time and its secrets', async () => {
  const home = mkdtempSync(join(folder, 'signed-'));
  const came = [];
  const marked = [];
  const receiver = await receive((request, body, response) => {
    (request.url === '/mark' ? marked : came).push({ headers: request.headers, body });
    response.writeHead(204).end();
  });
  const server = await serveWithKeys(home, scopes, ...options(receiver.port));
  const ask = asking(() => server, server.keys.shop);
  const endpoint = await ask('POST', '/webhooks', { url: receiver.url, events: ['create'] });
  const old = new Webhook(endpoint.secret);
  const next = async (id) => {
    const count = came.length;
    await ask('POST', '/orders', order(id));
    await until(() => came.length > count, 'the event');
    return came.at(-1);
  };
  const first = await next('A');
  assert.equal(old.verify(first.body, first.headers).data.order_id, 'A');
  assert.throws(() => old.verify(`${first.body} `, first.headers));
  const headers = (more) => ({ ...first.headers, ...more });
  const now = Number(first.headers['webhook-timestamp']);
  assert.throws(() => old.verify(first.body, headers({ 'webhook-timestamp': String(now + 1) })));
  assert.throws(() => old.verify(first.body, headers({ 'webhook-timestamp': String(now - 600) })));
  assert.throws(() => old.verify(first.body, headers({ 'webhook-id': `x${first.headers['webhook-id']}` })));

  const rotated = await ask('POST', `/webhooks/${endpoint.id}/rotate`, { overlap_seconds: 3600 });
  const current = new Webhook(rotated.secret);
  const both = await next('B');
  old.verify(both.body, both.headers);
  current.verify(both.body, both.headers);
  const last = await ask('POST', `/webhooks/${endpoint.id}/rotate`, { overlap_seconds: 0 });
  const without = await next('C');
  new Webhook(last.secret).verify(without.body, without.headers);
  assert.throws(() => old.verify(without.body, without.headers));
  assert.throws(() => current.verify(without.body, without.headers));

  await ask('DELETE', `/webhooks/${endpoint.id}`);
  const count = came.length;
  // Another endpoint, which is told of what the first one would have been told of before.
  await ask('POST', '/orders', order('D'));
  await ask('POST', '/webhooks', { url: receiver.url.replace('/hooks', '/mark') });
  await ask('POST', '/orders', order('E'));
  await until(() => marked.length > 0, 'the other endpoint');
  assert.equal(came.length, count, 'nothing comes after the answer of the delete');
  await server.stop();
  receiver.stop();
});

// A program that listens, says where, and then what it is told of.
async function example(program, ...args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => child.kill('SIGKILL'));
  const lines = [];
  let ready;
  const port = new Promise((resolve) => { ready = resolve; });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const found = /^listens on (\d+)$/.exec(line);
    if (found) ready(Number(found[1])); else lines.push(line);
  });
  return { port: await port, lines, stop: () => child.kill() };
}

for (const [name, program, file] of [['Node', process.execPath, 'webhook_receiver.mjs'],
  ['Python', 'python3', 'webhook_receiver.py']]) {
  test(`the manual's receiver in ${name} takes what is genuine, once`, async () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const path = name === 'Node' ? copied(file) : join(examples, file);
    const receiver = await example(program, path, '0', secret);
    const send = async (id, body, signWith = secret, at = new Date()) => {
      const headers = {
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at / 1000)),
        'webhook-signature': `v1,AAAA ${new Webhook(signWith).sign(id, at, body)}`,
      };
      return (await fetch(`http://127.0.0.1:${receiver.port}/`, { method: 'POST', headers, body })).status;
    };
    const event = (id, version) => JSON.stringify({ data: { order_id: id, event: 'create', version } });
    assert.equal(await send('1.wh', event('A', 1)), 204);
    assert.equal(await send('1.wh', event('A', 1)), 204);
    assert.equal(await send('3.wh', event('A', 3)), 204);
    assert.equal(await send('2.wh', event('A', 2)), 204);
    assert.equal(await send('4.wh', event('B', 1), 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'), 401);
    assert.equal(await send('5.wh', event('B', 1), secret, new Date(Date.now() - 600_000)), 401);
    assert.equal(await send('test-1.wh', JSON.stringify({ data: { endpoint: 'wh' } })), 204);
    assert.equal(await send('6.wh', event('C', 1)), 204);
    await until(() => receiver.lines.includes('C create 1'), 'the last event', 10);
    assert.deepEqual(receiver.lines, ['A create 1', 'A create 3', 'C create 1']);
    receiver.stop();
  });
}

// Beside the tools, where standardwebhooks is installed.
function copied(file) {
  const to = join(process.cwd(), file);
  execFileSync('cp', [join(examples, file), to]);
  return to;
}

test('an example mails what an endpoint is told of', async () => {
  const mails = [];
  const smtp = createMailServer((socket) => {
    let data;
    socket.write('220 test\r\n');
    createInterface({ input: socket }).on('line', (line) => {
      if (data !== undefined && line !== '.') { data.push(line); return; }
      if (data !== undefined) {
        mails.push(data.join('\n'));
        data = undefined;
      } else if (line === 'DATA' || line === 'data') {
        data = [];
        socket.write('354 go on\r\n');
        return;
      }
      socket.write(line.toUpperCase() === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
    });
  });
  smtp.listen(0, '127.0.0.1');
  await once(smtp, 'listening');
  const home = mkdtempSync(join(folder, 'mail-'));
  const free = await receive(() => {});
  free.stop();
  const server = await serveWithKeys(home, scopes, ...options(free.port));
  const ask = asking(() => server, server.keys.shop);
  const endpoint = await ask('POST', '/webhooks', { url: `http://127.0.0.1:${free.port}/`, events: ['create'] });
  const mailer = await example('python3', join(examples, 'webhook_to_mail.py'), String(free.port), endpoint.secret,
    `127.0.0.1:${smtp.address().port}`, 'shop@example.test', 'staff@example.test');
  await ask('POST', '/orders', order('M-1'));
  await until(() => mails.length > 0, 'the mail', 30);
  assert.match(mails[0], /Subject: Order M-1: create/);
  mailer.stop();
  await server.stop();
  smtp.close();
});

test('the command line makes, tests, pauses and removes endpoints', async () => {
  const home = mkdtempSync(join(folder, 'cli-'));
  const came = [];
  const receiver = await receive((request, body, response) => {
    came.push({ headers: request.headers, body });
    response.writeHead(204).end();
  });
  const server = await serveWithKeys(home, scopes, ...options(receiver.port));
  // Not blocking: the receiver is in this process.
  const run = async (...args) => {
    const child = spawn(binary, ['webhooks', ...args, '--url', server.url], {
      stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ORDERPROC_TOKEN: server.keys.shop },
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (text) => { out += text; });
    child.stderr.on('data', (text) => { err += text; });
    const [code] = await once(child, 'close');
    return { code, out, err };
  };
  const made = await run('create', receiver.url, '--event', 'create', '--description', 'the shop');
  assert.equal(made.code, 0, made.err);
  const webhook = new Webhook(made.out.trim());
  const [, id] = /endpoint (wh_\w+)/.exec(made.err);
  assert.match((await run('list')).out, new RegExp(`${id} +active +${receiver.url} +create +full +the shop`));
  assert.equal((await run('test', id)).code, 0);
  await until(() => came.length > 0, 'the test', 30);
  webhook.verify(came[0].body, came[0].headers);
  await until(async () => (await run('attempts', id)).out.includes('delivered'), 'the attempt', 30);
  const [attempt] = (await run('attempts', id, '--json')).out.trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(attempt.webhook_id, came[0].headers['webhook-id']);
  assert.match((await run('pause', id)).out, /is paused/);
  assert.match((await run('list')).out, /paused/);
  assert.match((await run('resume', id)).out, /is active/);
  const rotated = await run('rotate', id, '--overlap', '1h');
  assert.match(rotated.out, /^whsec_\S+\n$/);
  assert.match((await run('replay', id, '--since', '2026-01-01T00:00:00Z', '--until', '2999-01-01T00:00:00Z')).out, /sent it again/);
  assert.equal((await run('delete', id)).code, 0);
  const gone = await run('test', id);
  assert.equal(gone.code, 1);
  assert.equal((await run('create', 'http://10.0.0.1/')).code, 1);
  await server.stop();
  receiver.stop();
});
