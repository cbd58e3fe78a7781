// What a front end would do, as the generated types let it.

import { client } from './made/client.gen';
import { cancelOrder, createOrder, createOrders, getMetrics, getOrder, listOrders } from './made/sdk.gen';
import type { Order, Problem } from './made/types.gen';

declare const process: { argv: string[] };

function expect(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

async function main() {
  client.setConfig({ baseUrl: process.argv[2] });

  const made = await createOrder({
    body: { user_id: 123, item_ids: [1001, 1002], total_amount: 149.99, metadata: { from: 'a test' } },
    headers: { 'Idempotency-Key': 'smoke-1' },
  });
  expect(made.response.status === 201, 'created');
  const order: Order = made.data!;
  expect(order.total_amount === 149.99 && order.version === 1, 'as it was sent');

  let found: Order = order;
  for (const give_up = Date.now() + 60000; found.status !== 'COMPLETED' && Date.now() < give_up;) {
    found = (await getOrder({ path: { order_id: order.order_id }, throwOnError: true })).data;
  }
  expect(found.status === 'COMPLETED' && found.attempts === 1, 'worked on');

  const page = await listOrders({ query: { status: ['completed'], limit: 10 }, throwOnError: true });
  expect(page.data.items.length === 1 && page.data.next_cursor === null, 'listed');

  const refused = await cancelOrder({ path: { order_id: order.order_id } });
  const problem: Problem = refused.error!;
  expect(problem.code === 'transition_refused' && problem.order_status === 'COMPLETED', 'refused');

  const many = await createOrders({
    body: [{ user_id: 1, item_ids: [1], total_amount: 1 }, { user_id: 1, item_ids: [], total_amount: 1 }],
    throwOnError: true,
  });
  expect(many.data.items.map((it) => it.status).join() === '201,422', 'a batch');

  const counts = await getMetrics({ throwOnError: true });
  expect(typeof counts.data !== 'string' && counts.data.total_orders_processed >= 1, 'counted');
  console.log('done');
}

main().catch((error) => {
  console.error(error);
  throw error;
});
