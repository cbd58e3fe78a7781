// What the types of the TypeScript client take and what they refuse. It is compiled, never run.

import { answerOf, ApiError, Client, Webhook } from './src/index.js';
import type { Amount, NewOrder, Order, Status } from './src/index.js';

export async function use(client: Client, webhook: Webhook): Promise<void> {
  const created: NewOrder = { user_id: 1n, item_ids: [1, 2n], total_amount: '149.90' };
  const order: Order = await client.createOrder(created, { idempotencyKey: 'a' });
  const id: bigint = order.id;
  const amount: Amount = order.total_amount;
  const at: number = order.created_at.getTime();
  const status: Status = order.status;
  const position: string | undefined = answerOf(order)?.feedPosition;
  await client.patchOrder(order.order_id, { metadata: { id: 1n } }, { ifVersion: order.version });
  for await (const one of client.iterateOrders({ status: ['pending'], created_from: new Date() })) {
    const version: number = one.version;
    void version;
  }
  for await (const it of client.streamEvents({ after: '0' })) {
    if (it.kind === 'reset') void it.position;
    else void it.event.data.order.total_amount;
    // @ts-expect-error a reset has no event, and has to be told apart
    void it.event;
  }
  const message = await webhook.verify({ 'webhook-id': 'a' }, new Uint8Array());
  void message.event?.data.order_id;
  try {
    await client.getOrder('a');
  } catch (error) {
    if (error instanceof ApiError && error.code === 'not_found') void error.problem.request_id;
    // @ts-expect-error there is no such code
    if (error instanceof ApiError && error.code === 'no_such_code') void 0;
  }
  // @ts-expect-error user_id is missing
  await client.createOrder({ item_ids: [1], total_amount: '1' });
  // @ts-expect-error there is no such field
  await client.createOrder({ ...created, colour: 'red' as const, user: 1 } satisfies NewOrder);
  // @ts-expect-error an operation that takes no key
  await client.pauseWork({}, { idempotencyKey: 'a' });
  // @ts-expect-error amounts are texts
  const wrong: number = order.total_amount;
  void [id, amount, at, status, position, wrong];
}
