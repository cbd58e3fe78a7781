// A server of our own for a test, over a new database or in memory.

import { execFileSync, spawn } from 'node:child_process';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const binary = process.argv[2];

// Resolves when it is ready: { url, child, stop() }. It goes with the test's process, too.
export async function serve(...options) {
  const storage = options.includes('--storage') ? [] : ['--storage', 'memory:'];
  return start(binary, ['serve', '--listen', '127.0.0.1:0', ...storage, ...options],
    /^orderproc listens on (\S+)/);
}

// The same over a new database in the folder, with a key of each name: { url, keys, stop() }.
export async function serveWithKeys(folder, keys, ...options) {
  const storage = `sqlite:${join(folder, 'orders.db')}`;
  const made = {};
  for (const [name, scopes] of Object.entries(keys)) {
    made[name] = execFileSync(binary, ['keys', 'create', '--name', name, '--scope', scopes, '--storage', storage],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  }
  return { ...await serve('--storage', storage, ...options), keys: made };
}

// A proxy that takes the prefix off the path, as nginx does with `location /api/`.
export async function behindPrefix(upstream, prefix) {
  const to = new URL(upstream);
  const proxy = createServer((asked, answer) => {
    if (!asked.url.startsWith(`${prefix}/`)) return answer.writeHead(404).end();
    const passed = request({
      host: to.hostname,
      port: to.port,
      method: asked.method,
      path: asked.url.slice(prefix.length),
      headers: { ...asked.headers, host: to.host },
    }, (got) => {
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    return asked.pipe(passed);
  });
  await new Promise((resolve) => { proxy.listen(0, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${proxy.address().port}${prefix}`,
    stop() {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}

// Starts a program and waits for the line in which it says where it listens.
export async function start(program, args, ready) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  const ended = new Promise((resolve) => child.once('close', resolve));
  const said = [];
  child.stderr.on('data', (text) => said.push(text));
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(`${line}\n`);
      const found = ready.exec(line);
      if (found) resolve(found[1]);
    });
    child.once('error', reject);
    ended.then((code) => reject(new Error(`${program} ended with ${code}: ${said.join('')}`)));
  });
  return {
    url,
    child,
    output: () => said.join(''),
    async stop() {
      child.kill('SIGTERM');
      const code = await ended;
      process.off('exit', kill);
      return code;
    },
  };
}
