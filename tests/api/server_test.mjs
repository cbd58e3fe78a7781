// The helper that the other tests start their servers with.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { serve, start } from './server.mjs';

test('a server answers until it is stopped', async () => {
  const server = await serve();
  const answer = await fetch(`${server.url}/healthz`);
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { status: 'ok' });
  assert.equal(await server.stop(), 0);
  await assert.rejects(fetch(`${server.url}/healthz`));
});

test('a program that ends before it is ready is an error that says why', async () => {
  await assert.rejects(start('sh', ['-c', 'echo broken >&2; exit 3'], /never/), /with 3: broken/);
});
