// A server of our own for a test, over a new database or in memory.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export const binary = process.argv[2];

// Resolves when it is ready: { url, child, stop() }. It goes with the test's process, too.
export async function serve(...options) {
  return start(binary, ['serve', '--listen', '127.0.0.1:0', '--storage', 'memory:', ...options],
    /^orderproc listens on (\S+)/);
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
