// Every operation with every answer that a client can bring about, as a list of requests.

const json = (body, headers = {}) => ({
  body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers },
});
const order = (more = {}) => ({ user_id: 123, item_ids: [1001, 1002], total_amount: 149.99, ...more });
const get = (target, status, headers = {}) => ({ method: 'GET', target, status, headers });
const send = (method, target, status, rest = {}) => ({ method, target, status, ...rest });

// The webhook endpoint that was made last; whoever walks puts its id there.
const hook = '/webhooks/{hook}';
const receiver = { url: 'https://receiver.invalid/hooks', events: ['create'] };
const period = { since: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' };

// Whose pages may ask.
export const shop = 'https://shop.example';
const paths = [
  '/orders', '/orders/batch', '/orders/status/pending', '/orders/A-1', '/orders/A-1/cancel', '/orders/A-1/retry',
  '/orders/A-1/transitions', '/orders/A-1/annotations', '/orders/A-1/redact', '/orders/A-1/attempts/x', '/orders/A-1/history', '/orders/A-1/events', '/events', '/journal', '/metrics', '/healthz', '/readyz',
  '/model', '/openapi.json', '/docs', '/docs/style.css', '/dashboard/icon.svg', '/', '/webhooks', '/webhooks/wh_x', '/webhooks/wh_x/test', '/webhooks/wh_x/rotate',
  '/webhooks/wh_x/pause', '/webhooks/wh_x/resume', '/webhooks/wh_x/replay', '/webhooks/wh_x/attempts',
  '/whoami', '/pauses', '/pause', '/resume', '/workers', '/dead-letters', '/orders/A-1/explain', '/findings', '/stats',
  '/dead-letters/retry', '/operations/x', '/operations/x/stop',
];

// What the description allows to be asked.
export const good = [
  get('/orders?limit=1', 200),
  send('POST', '/orders', 201, json(order({ order_id: 'A-1' }))),
  send('POST', '/orders', 201, json(order({ order_id: 'A-2', currency: 'JPY', total_amount: 1500 }))),
  send('POST', '/orders', 201, json(order({ metadata: { a: [1, null, { b: 'c' }] } }))),
  send('POST', '/orders', 201, json(order({ order_id: 'A-3' }), { 'Idempotency-Key': 'key 1' })),
  send('POST', '/orders', 201, json(order({ order_id: 'A-3' }), { 'Idempotency-Key': 'key 1' })),
  send('POST', '/orders', 409, json(order({ order_id: 'A-1' }))),
  send('POST', '/orders', 201, json(order({ annotations: { a: 1 }, not_before: '2026-01-01T00:00:00Z' }))),
  send('POST', '/orders', 422, json(order({ order_id: 'A-3', user_id: 7 }), { 'Idempotency-Key': 'key 1' })),
  send('POST', '/orders', 422, json(order({ total_amount: 1.999 }))),
  send('POST', '/orders/batch', 200, json([order(), order({ order_id: 'A-1' })])),
  get('/orders/A-1', 200),
  get('/orders/A-1', 304, { 'If-None-Match': '"1"' }),
  get('/orders/A-1?at=2000-01-01T00:00:00Z', 404),
  get('/orders/A-1?at=2999-01-01T00:00:00Z', 200),
  get('/orders/A-9', 404),
  get('/orders', 200),
  get('/orders?limit=2&sort=created_at&status=PENDING&status=FAILED&user_id=123', 200),
  get('/orders?created_from=2026-01-01T00:00:00Z&created_until=2999-01-01T00:00:00Z', 200),
  get('/orders?cursor=nonsense', 400),
  get('/orders?order_id_prefix=A&sort=-order_id&total=true', 200),
  get('/orders?updated_from=2026-01-01T00:00:00Z&limit=1', 200),
  get('/orders/status/pending?sort=due_at', 200),
  get('/journal?limit=2', 200),
  get('/journal?after=0&user_id=123&status=PENDING', 200),
  get('/orders/status/pending?limit=1', 200),
  get('/orders/status/NOTHING', 404),
  send('PUT', '/orders/A-1', 200, json(order({ item_ids: [5] }))),
  send('PUT', '/orders/A-1', 412, json(order(), { 'If-Match': '"1"' })),
  send('PUT', '/orders/A-9', 404, json(order())),
  send('PATCH', '/orders/A-1', 200, json({ metadata: { note: 'x' } })),
  send('PATCH', '/orders/A-1', 200, {
    body: '{"metadata":null}', headers: { 'Content-Type': 'application/merge-patch+json', 'If-Match': '"3"' },
  }),
  send('PATCH', '/orders/A-1', 412, json({ user_id: 5 }, { 'If-Match': '"1"' })),
  send('PATCH', '/orders/A-1', 422, json({ version: 9 })),
  send('PATCH', '/orders/A-9', 404, json({})),
  send('PATCH', '/orders/A-1/annotations', 200, json({ annotations: { seen: 1 } })),
  send('PATCH', '/orders/~QS0x/annotations', 200, {
    body: '{"annotations":{"seen":null}}', headers: { 'Content-Type': 'application/merge-patch+json' },
  }),
  send('PATCH', '/orders/A-1/annotations', 412, json({ annotations: {} }, { 'If-Match': '"1"' })),
  send('PATCH', '/orders/A-9/annotations', 404, json({})),
  get('/orders/~QS0x', 200),
  get('/orders?order_id=A-1', 200),
  send('POST', '/orders/A-1/redact', 409),
  send('POST', '/orders/A-1/transitions', 412, json({ event: 'cancel' }, { 'If-Match': '"1"' })),
  send('POST', '/orders/A-1/transitions', 200, json({ event: 'cancel', reason: 'ordered twice' })),
  send('POST', '/orders/A-1/transitions', 409, json({ event: 'retry' })),
  send('POST', '/orders/A-1/redact', 412, { headers: { 'If-Match': '"1"' } }),
  send('POST', '/orders/A-1/redact', 200),
  send('POST', '/orders/A-9/redact', 404),
  send('POST', '/orders/A-9/transitions', 404, json({ event: 'retry' })),
  send('POST', '/orders/A-1/attempts/1.1.PROCESSING.x', 409, json({ advance: {} })),
  send('POST', '/orders/A-1/attempts/x', 409, json({ retry: { delay_seconds: 1, reason: 'busy' } })),
  send('POST', '/orders/A-9/attempts/x', 404, json({ fail: { reason: 'lost' } })),
  send('PUT', '/orders/A-1', 409, json(order())),
  send('PATCH', '/orders/A-1', 409, json({ user_id: 5 })),
  send('POST', '/orders/A-2/retry', 200),
  send('POST', '/orders/A-2/retry', 412, { headers: { 'If-Match': '"99"' } }),
  send('POST', '/orders/A-2/cancel', 412, { headers: { 'If-Match': '"99"' } }),
  send('POST', '/orders/A-2/cancel', 200),
  send('POST', '/orders/A-2/cancel', 200),
  send('POST', '/orders/A-2/retry', 409),
  send('POST', '/orders/A-9/cancel', 404),
  send('POST', '/orders/A-9/retry', 404),
  get('/orders/A-1/history', 200),
  get('/orders/A-1/history?after=1', 200),
  get('/orders/A-9/history', 404),
  send('DELETE', '/orders/A-3', 412, { headers: { 'If-Match': '"99"' } }),
  send('DELETE', '/orders/A-3', 204),
  send('DELETE', '/orders/A-3', 404),
  get('/whoami', 200),
  get('/pauses', 200),
  send('POST', '/pause', 200),
  send('POST', '/pause', 200, json({ stage: 'PROCESSING', reason: 'the till is down' })),
  send('POST', '/resume', 409, json({ stage: 'PROCESSING' })),
  send('POST', '/resume', 200, json({})),
  get('/workers', 200),
  get('/workers?limit=1&after=a', 200),
  get('/orders/A-1/explain', 200),
  get('/orders/A-3/explain', 200),
  get('/orders/A-9/explain', 404),
  get('/findings', 200),
  get('/stats', 200),
  get('/stats?span=1h', 200),
  get('/dead-letters', 200),
  get('/dead-letters?group=reason', 200),
  get('/dead-letters?reason=&limit=1', 200),
  send('POST', '/dead-letters/retry', 200, json({ reason: 'nothing', dry_run: true, limit: 10 })),
  send('POST', '/dead-letters/retry', 200, json({ order_ids: ['A-1', 'A-9'], dry_run: true })),
  send('POST', '/dead-letters/retry', 202, json({ reason: 'nothing' })),
  get('/operations/{operation}', 200),
  send('POST', '/operations/{operation}/stop', 200),
  get('/operations/nothing', 404),
  send('POST', '/operations/nothing/stop', 404),
  get('/metrics', 200, { Accept: 'application/json' }),
  get('/metrics', 200, { Accept: 'text/plain' }),
  get('/healthz', 200),
  get('/readyz', 200),
  get('/model', 200),
  get('/openapi.json', 200),
  get('/docs', 200),
  get('/docs', 200, { 'Accept-Encoding': 'identity' }),
  get('/docs/style.css', 200),
  get('/docs/icon.svg', 200),
  get('/', 200),
  get('/', 200, { 'Accept-Encoding': 'identity' }),
  get('/dashboard/icon.svg', 200),
  get('/model', 304, { 'If-None-Match': '*' }),
  get('/openapi.json', 304, { 'If-None-Match': '*' }),
  get('/docs', 304, { 'If-None-Match': '*' }),
  get('/docs/icon.svg', 304, { 'If-None-Match': '*' }),
  get('/docs/nothing', 404),
  get('/', 304, { 'If-None-Match': '*' }),
  get('/dashboard/icon.svg', 304, { 'If-None-Match': '*' }),
  get('/dashboard/nothing', 404),
  send('POST', '/webhooks', 201, json(receiver)),
  send('POST', `${hook}/pause`, 200),
  get('/webhooks', 200),
  get(hook, 200),
  send('PATCH', hook, 200, json({ description: 'the shop', statuses: ['CANCELLED'], content: 'reference' })),
  send('PATCH', hook, 200, { body: '{"statuses":null}', headers: { 'Content-Type': 'application/merge-patch+json' } }),
  send('POST', `${hook}/rotate`, 200, json({ overlap_seconds: 60 })),
  send('POST', `${hook}/rotate`, 200),
  send('POST', `${hook}/resume`, 200),
  send('POST', `${hook}/pause`, 200),
  get(`${hook}/attempts`, 200),
  get(`${hook}/attempts?status=failed&order_id=A-1&limit=1&after=0`, 200),
  // Paused, it is sent none of them.
  send('POST', `${hook}/replay`, 202, json(period)),
  ...Array.from({ length: 9 }, () => send('POST', `${hook}/test`, 202)),
  send('POST', `${hook}/test`, 409),
  send('POST', `${hook}/replay`, 409, json(period)),
  send('POST', `${hook}/replay`, 404, json({ attempt: 'nothing' })),
  send('DELETE', hook, 204),
  send('DELETE', hook, 404),
  get(hook, 404),
  get(`${hook}/attempts`, 404),
  send('PATCH', hook, 404, json({})),
  ...['pause', 'resume', 'rotate', 'test'].map((what) => send('POST', `${hook}/${what}`, 404)),
  ...paths.map((target) => send('OPTIONS', target, 204)),
  ...paths.map((target) => send('OPTIONS', target, 204, {
    headers: { Origin: shop, 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'authorization' },
  })),
  get('/orders', 200, { Origin: shop }),
];

// What needs a credential, asked without one (401) and with one that has another scope (403).
const scoped = [
  ['GET', '/orders'], ['GET', '/orders/status/pending'], ['GET', '/orders/A-1'], ['GET', '/orders/A-1/history'],
  ['GET', '/journal'], ['GET', '/metrics'], ['POST', '/orders'], ['POST', '/orders/batch'], ['PUT', '/orders/A-1'],
  ['PATCH', '/orders/A-1'], ['DELETE', '/orders/A-1'], ['POST', '/orders/A-1/cancel'], ['POST', '/orders/A-1/retry'],
  ['POST', '/orders/A-1/transitions'], ['PATCH', '/orders/A-1/annotations'], ['POST', '/orders/A-1/redact'],
  ['GET', '/model'], ['POST', '/orders/A-1/attempts/x'],
  ['GET', '/webhooks'], ['POST', '/webhooks'], ['GET', '/webhooks/wh_x'], ['PATCH', '/webhooks/wh_x'],
  ['DELETE', '/webhooks/wh_x'], ['POST', '/webhooks/wh_x/test'], ['POST', '/webhooks/wh_x/rotate'],
  ['POST', '/webhooks/wh_x/pause'], ['POST', '/webhooks/wh_x/resume'], ['POST', '/webhooks/wh_x/replay'],
  ['GET', '/webhooks/wh_x/attempts'],
  ['GET', '/pauses'], ['POST', '/pause'], ['POST', '/resume'], ['GET', '/workers'],
  ['GET', '/dead-letters'], ['GET', '/orders/A-1/explain'], ['GET', '/findings'], ['GET', '/stats'],
  ['POST', '/dead-letters/retry'], ['GET', '/operations/x'], ['POST', '/operations/x/stop'],
];
const bodyOf = (method, target) => {
  if (target === '/webhooks') return method === 'POST' ? json(receiver) : {};
  if (target.endsWith('replay')) return json(period);
  if (target.endsWith('letters/retry')) return json({ reason: '' });
  if (method === 'PATCH') return json({});
  if (target.endsWith('attempts/x')) return json({ advance: {} });
  if (target.endsWith('transitions')) return json({ event: 'cancel' });
  if (target.endsWith('batch')) return json([order()]);
  return method === 'PUT' || target === '/orders' && method === 'POST' ? json(order()) : {};
};
export const strangers = [...scoped, ['GET', '/whoami']].map(([method, target]) =>
  send(method, target, 401, { ...bodyOf(method, target), anonymous: true }));
// ofWebhooks: a key that has the scope of webhooks alone; ofMetrics: the same of metrics.
export const outsiders = (ofWebhooks, ofMetrics) => scoped.map(([method, target]) => {
  const { body, headers = {} } = bodyOf(method, target);
  const key = target.startsWith('/webhooks') ? ofMetrics : ofWebhooks;
  return send(method, target, 403, { body, headers: { ...headers, Authorization: `Bearer ${key}` } });
});

// What it does not; the answers have to be what it says all the same.
const text = { body: '{', headers: { 'Content-Type': 'application/json' } };
const untyped = { body: 'x', headers: { 'Content-Type': 'text/plain' } };
const bodies = [
  ['POST', '/orders'], ['POST', '/orders/batch'], ['PUT', '/orders/A-2'], ['PATCH', '/orders/A-2'],
  ['POST', '/orders/A-2/transitions'], ['PATCH', '/orders/A-2/annotations'], ['POST', '/orders/A-2/attempts/x'],
];
const changes = [
  ...bodies, ['DELETE', '/orders/A-2'], ['POST', '/orders/A-2/cancel'], ['POST', '/orders/A-2/retry'],
  ['POST', '/orders/A-2/redact'],
];
// The key of one request, then on another.
const repeated = (method, target, status, body = {}) => {
  const headers = { 'Idempotency-Key': `${method} ${target}` };
  return [
    send(method, target, status, json(body, headers)),
    send(method, target, status, json(body, headers)),
    send(method, target, 422, json({ ...body, user_id: 9 }, headers)),
  ];
};
export const bad = [
  ...bodies.flatMap(([method, target]) => [
    send(method, target, 400, text),
    send(method, target, 415, untyped),
    send(method, target, 422, json({ nothing: 1 })),
  ]),
  ...changes.flatMap(([method, target]) => [
    send(method, `${target}?x=1`, 400, json(target.endsWith('batch') ? [] : target.endsWith('transitions') ? { event: 'cancel' } : order())),
    send(method, target, 400, json(order(), { 'Idempotency-Key': 'k'.repeat(256) })),
  ]),
  send('POST', '/orders', 422, json({ order_id: 'batch', user_id: 0, item_ids: [], total_amount: -1, currency: 'XXX', metadata: 1 })),
  ...bodies.filter(([, target]) => !target.endsWith('batch'))
    .map(([method, target]) => send(method, target, 413, json({ metadata: 'x'.repeat(300_000) }))),
  send('POST', '/orders/batch', 413, json(Array(1001).fill(order()))),
  send('POST', '/orders/batch', 200, { body: '{}\n[\n', headers: { 'Content-Type': 'application/x-ndjson' } }),
  send('POST', '/orders/A-2/transitions', 422, json({ event: 'complete' })),
  ...repeated('POST', '/orders/A-2/cancel', 200),
  ...repeated('POST', '/orders', 201, order()),
  send('POST', '/orders', 201, json(order({ order_id: 'B-1' }))),
  send('POST', '/orders', 201, json(order({ order_id: 'B-2' }))),
  ...repeated('PUT', '/orders/B-1', 200, order()),
  ...repeated('PATCH', '/orders/B-1', 200, { user_id: 5 }),
  ...repeated('POST', '/orders/B-1/retry', 200),
  ...repeated('POST', '/orders/B-1/transitions', 200, { event: 'retry' }),
  ...repeated('PATCH', '/orders/B-1/annotations', 200, { annotations: { a: 1 } }),
  ...repeated('DELETE', '/orders/B-1', 204),
  send('POST', '/orders/B-2/cancel', 200),
  ...repeated('POST', '/orders/B-2/redact', 200),
  ...['/pause', '/resume'].flatMap((target) => [
    send('POST', target, 400, text),
    send('POST', target, 415, untyped),
    send('POST', target, 422, json({ nothing: 1 })),
    send('POST', target, 413, json({ reason: 'x'.repeat(300_000) })),
    send('POST', `${target}?x=1`, 400),
    send('POST', target, 400, json({}, { 'Idempotency-Key': 'k'.repeat(256) })),
  ]),
  ...['/whoami', '/pauses', '/workers', '/dead-letters', '/orders/A-2/explain', '/findings', '/stats'].map((target) => get(`${target}?x=1`, 400)),
  get('/workers?limit=0', 400),
  get('/stats?span=6h', 400),
  get('/orders/%zz/explain', 400),
  get('/dead-letters?limit=1', 400),
  send('POST', '/dead-letters/retry', 400, text),
  send('POST', '/dead-letters/retry', 415, untyped),
  send('POST', '/dead-letters/retry', 422, json({})),
  send('POST', '/dead-letters/retry', 422, json({ reason: 'x', order_ids: ['A-1'] })),
  send('POST', '/dead-letters/retry', 422, json({ reason: 'x', limit: 0 })),
  send('POST', '/dead-letters/retry', 413, json({ reason: 'x'.repeat(300_000) })),
  send('POST', '/dead-letters/retry?x=1', 400, json({ reason: 'x' })),
  get('/operations/nothing?x=1', 400),
  send('POST', '/operations/nothing/stop?x=1', 400),
  send('POST', '/operations/nothing/stop', 413, json({ reason: 'x'.repeat(300_000) })),
  get('/dead-letters?group=user', 400),
  get('/dead-letters?reason=x&cursor=nonsense', 400),
  get('/orders?limit=0', 400),
  get('/orders?status=NOTHING', 400),
  get('/orders?page=2', 400),
  get('/orders?attribute.rank=1', 400),
  get('/orders?order_id=A-1&sort=order_id', 400),
  get('/orders?%zz', 400),
  get('/orders/%zz', 400),
  get('/orders/status/%zz', 400),
  get('/orders/status/pending?status=pending', 400),
  get('/orders/A-2?at=yesterday', 400),
  get('/orders/A-2/history?after=x', 400),
  get('/journal?after=nonsense', 400),
  send('POST', '/webhooks', 201, json(receiver)),
  send('POST', `${hook}/pause`, 200),
  ...[['POST', '/webhooks'], ['PATCH', hook], ['POST', `${hook}/rotate`], ['POST', `${hook}/replay`]].flatMap(([method, target]) => [
    send(method, target, 400, text),
    send(method, target, 415, untyped),
    send(method, target, 422, json({ nothing: 1 })),
    send(method, target, 413, json({ description: 'x'.repeat(300_000) })),
    send(method, `${target}?x=1`, 400, json(target.endsWith('replay') ? period : target === '/webhooks' ? receiver : {})),
  ]),
  ...[['DELETE', hook], ...['pause', 'resume', 'test'].map((what) => ['POST', `${hook}/${what}`])]
    .map(([method, target]) => send(method, `${target}?x=1`, 400)),
  ...['/webhooks', hook, `${hook}/attempts`].map((target) => get(`${target}?x=1`, 400)),
  send('POST', '/webhooks', 422, json({ url: 'https://127.0.0.1/', events: ['nothing'] })),
  send('PATCH', hook, 422, json({ url: 'https://printer/' })),
  get(`${hook}/attempts?limit=0`, 400),
  send('DELETE', hook, 204),
];
