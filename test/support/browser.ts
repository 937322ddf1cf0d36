import { type Browser, chromium } from 'playwright-core';
import { findChromium } from '../../scripts/find-chromium.mjs';

/** The first four flags stop Chromium's own network requests. As root, Chromium runs only without a sandbox. */
const FLAGS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-gpu',
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
];

export async function openBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) {
    throw new Error('the browser tests need Chromium or Chrome: install it, or set CHROMIUM_PATH to its program');
  }
  return chromium.launch({ executablePath, args: FLAGS });
}
