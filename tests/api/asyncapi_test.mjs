// The description of the events is one that Redocly finds nothing wrong with, and its example is
// what it says it is.
//
// usage: asyncapi_test.mjs DOCUMENT.yaml

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const document = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), 'orderproc-asyncapi-'));
after(() => rmSync(folder, { recursive: true }));

function redocly(...words) {
  return execFileSync('node_modules/.bin/redocly', words, { encoding: 'utf8' });
}

test('Redocly has neither errors nor warnings', () => {
  const said = redocly('lint', '--extends', 'recommended-strict', '--format', 'json', document);
  const { totals, problems } = JSON.parse(said);
  assert.equal(totals.errors + totals.warnings, 0, JSON.stringify(problems, null, 1));
});

test('the example fits its schema', () => {
  const file = join(folder, 'asyncapi.json');
  redocly('bundle', document, '--output', file);
  const api = JSON.parse(readFileSync(file, 'utf8'));
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addSchema({ ...api, $id: 'api' });
  const fits = ajv.compile({ $ref: 'api#/components/schemas/orderEvent' });
  const [example] = api.components.messages.orderEvent.examples;
  assert.ok(fits(example.payload), ajv.errorsText(fits.errors));
  assert.ok(!fits({ ...example.payload, id: '3' }), 'a position has an epoch');
});
