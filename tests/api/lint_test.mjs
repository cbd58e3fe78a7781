// The description is one that Redocly finds nothing wrong with, and its examples are what they
// say they are.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

import { serve } from './server.mjs';

const folder = mkdtempSync(join(tmpdir(), 'orderproc-api-'));
let server;
let text;
let api;

before(async () => {
  server = await serve();
  text = await (await fetch(`${server.url}/openapi.json`)).text();
  api = JSON.parse(text);
});
after(async () => {
  rmSync(folder, { recursive: true });
  await server.stop();
});

test('Redocly has neither errors nor warnings', () => {
  const file = join(folder, 'openapi.json');
  writeFileSync(file, text);
  const said = execFileSync('node_modules/.bin/redocly',
    ['lint', '--config', 'redocly.yaml', '--format', 'json', file], { encoding: 'utf8' });
  const { totals, problems } = JSON.parse(said);
  assert.equal(totals.errors + totals.warnings, 0, JSON.stringify(problems, null, 1));
});

// Follows a reference within the document.
function resolve(it) {
  while (it.$ref) {
    it = it.$ref.slice(2).split('/')
      .reduce((at, key) => at[key.replaceAll('~1', '/').replaceAll('~0', '~')], api);
  }
  return it;
}

function* contents() {
  for (const [path, item] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const parts = Object.entries(operation.responses);
      if (operation.requestBody) parts.push(['request', operation.requestBody]);
      for (const [name, part] of parts) {
        for (const [type, content] of Object.entries(resolve(part).content ?? {})) {
          yield { where: `${method} ${path} ${name} ${type}`, content };
        }
      }
    }
  }
}

test('every body has an example, and every example fits its schema', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addSchema({ ...api, $id: 'api' });
  let count = 0;
  const rooted = (schema) => JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/'));
  for (const { where, content } of contents()) {
    const fits = ajv.compile(rooted(content.schema));
    const examples = Object.entries(content.examples ?? {});
    assert.ok(examples.length > 0, `${where} has no example`);
    for (const [name, example] of examples) {
      const { value } = resolve(example);
      assert.ok(fits(value), `${where} ${name}: ${ajv.errorsText(fits.errors)}`);
      if (value.code) assert.ok(where.includes('default') || where.includes(` ${value.status} `), where);
      ++count;
    }
  }
  assert.ok(count > 50, `${count} examples`);
});
