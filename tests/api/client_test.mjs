// A client that is generated from the description compiles, and works.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import { serve } from './server.mjs';

test('a generated TypeScript client compiles and works', async () => {
  const folder = mkdtempSync(resolve('client-'));
  const server = await serve('--processor', 'simulate:10ms');
  const run = (program, ...args) =>
    execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const api = await fetch(`${server.url}/openapi.json`);
    writeFileSync(join(folder, 'openapi.json'), await api.text());
    writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}');
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
      compilerOptions: {
        strict: true, target: 'es2022', module: 'commonjs', moduleResolution: 'node10',
        lib: ['es2022', 'dom', 'dom.iterable'], types: [],
      },
      files: ['smoke.ts'],
    }));
    cpSync('client_smoke.ts', join(folder, 'smoke.ts'));
    run(resolve('node_modules/.bin/openapi-ts'), '--input', 'openapi.json', '--output', 'made',
      '--client', '@hey-api/client-fetch', '--silent', '--no-log-file');
    run(resolve('node_modules/.bin/tsc'));
    assert.match(run('node', 'smoke.js', server.url), /^done$/m);
  } finally {
    rmSync(folder, { recursive: true });
    await server.stop();
  }
});
