// A proxy that spoils requests as told.

import { createServer, request } from 'node:http';

// plan: what becomes of the next requests, the first one first; once it is empty, requests are passed
// on to `target`, which may be changed at any time. 'refuse': the connection is closed and the server
// never sees the request. 'lose': the server carries it out, and the answer is lost. [status, fields]:
// this answer, not the server's. seen: { method, path, headers } of all requests.
export async function flakyProxy(test, target) {
  const proxy = { plan: [], seen: [], target };
  const server = createServer((asked, answer) => {
    const { method, url: path, headers } = asked;
    proxy.seen.push({ method, path, headers });
    const what = proxy.plan.shift() ?? 'pass';
    if (what === 'refuse') {
      asked.socket.destroy();
    } else if (Array.isArray(what)) {
      asked.resume();
      answer.writeHead(...what).end();
    } else {
      const to = new URL(proxy.target);
      const passed = request({
        host: to.hostname, port: to.port, method, path, headers: { ...headers, host: to.host }, agent: false,
      }, (got) => {
        if (what === 'lose') {
          got.resume().on('end', () => asked.socket.destroy());
          return;
        }
        answer.writeHead(got.statusCode, got.headers);
        answer.flushHeaders();
        got.on('error', () => answer.destroy());
        got.pipe(answer);
        answer.on('close', () => passed.destroy());
      });
      passed.on('error', () => answer.destroy());
      asked.pipe(passed);
    }
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  proxy.url = `http://127.0.0.1:${server.address().port}`;
  return proxy;
}
