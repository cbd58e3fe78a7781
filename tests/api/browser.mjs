// Chromium for a test; undefined without it.

import { existsSync } from 'node:fs';

import { chromium } from 'playwright-core';

export async function open() {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
    .find((it) => existsSync(it));
  if (!executablePath) return undefined;
  return chromium.launch({
    executablePath,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}
