// A receiver of webhooks in Node, with npm's standardwebhooks. Run: PORT SECRET
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const [port, secret] = process.argv.slice(2);
const webhook = new Webhook(secret);
const seen = new Set(); // of webhook-ids; a real one keeps them for days, in a database
const versions = new Map(); // of orders

// What there is to do. It is not waited for: an answer has to come within 15 seconds.
function handle(event) {
  if (!event.data.order_id) return; // a test
  const { order_id: id, version } = event.data;
  if (version <= (versions.get(id) ?? 0)) return; // older than what is known
  versions.set(id, version);
  console.log(`${id} ${event.data.event} ${version}`);
}

createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    let event;
    try {
      // Of the bytes as they came, before anything parses them.
      event = webhook.verify(Buffer.concat(parts).toString(), request.headers);
    } catch {
      response.writeHead(401).end();
      return;
    }
    response.writeHead(204).end();
    const id = request.headers['webhook-id'];
    if (seen.has(id)) return;
    seen.add(id);
    setImmediate(handle, event);
  });
}).listen(Number(port), '127.0.0.1', function () {
  console.log(`listens on ${this.address().port}`);
});
