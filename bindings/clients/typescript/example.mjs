// Creates an order and follows it until nothing more happens to it. Run: URL [KEY]
import { ApiError, Client } from 'orderproc-client';

const [url, key] = process.argv.slice(2);
const client = new Client({ url, key });
const order = await client.createOrder({ user_id: 123, item_ids: [1001, 1002], total_amount: '149.90' });
console.log(`created, ${order.total_amount} ${order.currency}`);
for await (const it of client.streamOrderEvents(order.order_id)) {
  if (it.kind === 'reset') continue; // whoever keeps what events told would forget it here
  console.log(`${it.event.data.event}: ${it.event.data.to}`);
}
try {
  await client.cancelOrder(order.order_id);
} catch (error) {
  if (!(error instanceof ApiError && error.code === 'transition_refused')) throw error;
  console.log(`refused: ${error.code}, it is ${error.problem.order_status}`);
}
