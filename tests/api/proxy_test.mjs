// A proxy that holds requests and answers against the description sees nothing that it does not
// say. Events are not for it: a stream has no end to wait for.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';

import { serveWithKeys, start } from './server.mjs';
import { bad, good, outsiders, shop, strangers } from './walk.mjs';

const folder = mkdtempSync(resolve('proxy-'));
let server;
let api;

before(async () => {
  server = await serveWithKeys(folder, {
    all: 'orders:read,orders:write,read,webhooks,operate,erase,metrics', hooks: 'webhooks', figures: 'metrics',
  }, '--no-worker', '--insecure-secrets', '--cors-origin', shop, '--rate-limit', '100000');
  api = await (await fetch(`${server.url}/openapi.json`)).json();
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(api));
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function throughProxy(requests, ...options) {
  const proxy = await start('node_modules/.bin/prism',
    ['proxy', join(folder, 'openapi.json'), server.url, '--errors', '--host', '127.0.0.1',
      '--port', '0', '--cors=false', ...options], /Prism is listening on (\S+)/);
  try {
    await walk(proxy, requests);
  } finally {
    await proxy.stop();
  }
}

// With a key for everything, unless it is somebody else who asks.
function ask(base, { method, target, headers = {}, body, anonymous = false }) {
  return new Promise((done, failed) => {
    const authorization = anonymous ? {} : { Authorization: `Bearer ${server.keys.all}` };
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const request = http.request(base + target, { method, headers: { ...length, ...authorization, ...headers } });
    request.on('error', failed);
    request.on('response', (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts).toString() }));
    });
    request.end(body);
  });
}

let hook = 'wh_none';
let operation = 'none';

async function walk(through, requests) {
  for (const it of requests) {
    const target = it.target.replace('{hook}', hook).replace('{operation}', operation);
    const answer = await ask(through.url, { ...it, target });
    const what = `${it.method} ${it.target}: ${answer.status} ${answer.body.slice(0, 2000)}`;
    assert.ok(!answer.body.includes('stoplight.io/prism'), what);
    assert.ok(!answer.headers['sl-violations'], `${what} ${answer.headers['sl-violations']}`);
    assert.equal(answer.status, it.status, what);
    if (it.target === '/webhooks' && it.status === 201) hook = JSON.parse(answer.body).id;
    if (it.target === '/dead-letters/retry' && it.status === 202) operation = JSON.parse(answer.body).id;
  }
}

test('what the description allows, and the answers', async () => {
  await throughProxy(good);
});

test('the answers to what it does not allow', async () => {
  await throughProxy(bad, '--validate-request=false');
});

test('the answers to those who may not', async () => {
  await throughProxy([...strangers, ...outsiders(server.keys.hooks, server.keys.figures)]);
});

// So that those above mean something.
test('the proxy tells an answer that is not described', async () => {
  const { Order } = api.components.schemas;
  Order.properties.total_amount = { type: 'string' };
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(api));
  await assert.rejects(throughProxy(good), /total_amount/);
});

// Only while a worker or somebody else is at it, to a token without any scope, or not with a proxy
// that follows; other tests see them.
const elsewhere = [
  'DELETE /orders/{order_id} 409', 'POST /orders/{order_id}/cancel 409', 'GET / 302',
  'PATCH /orders/{order_id}/annotations 409', 'POST /orders/{order_id}/attempts/{attempt_token} 200',
  'POST /pause 409', 'GET /whoami 403', 'POST /webhooks 409', 'PATCH /webhooks/{webhook_id} 409', 'DELETE /webhooks/{webhook_id} 409',
  ...['pause', 'resume', 'rotate'].map((what) => `POST /webhooks/{webhook_id}/${what} 409`),
];

test('every answer that a client can bring about was walked to', () => {
  const seen = new Set();
  for (const { method, target, status } of [...good, ...bad, ...strangers, ...outsiders('', '')]) {
    const path = target.replace(/\?.*/, '');
    const pattern = Object.keys(api.paths).find((it) => it === path) ?? Object.keys(api.paths)
      .find((it) => new RegExp(`^${it.replace(/{[^}]*}/g, '[^/]+')}$`).test(path));
    seen.add(`${method} ${pattern} ${status}`);
  }
  const unseen = [];
  for (const [path, item] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      if (path.endsWith('/events') && method === 'get') continue;
      for (const status of Object.keys(operation.responses ?? {})) {
        const name = `${method.toUpperCase()} ${path} ${status}`;
        const ours = status === 'default' || status >= 500;  // only a server in trouble
        if (!ours && !seen.has(name) && !elsewhere.includes(name)) unseen.push(name);
      }
    }
  }
  assert.deepEqual(unseen, []);
});
