import { PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser } from './support/browser.ts';
import { segment } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;
let browser: Browser;

/** More traces than a page of summaries, the oldest ones with values that no other trace has. */
beforeAll(async () => {
  server = await startTestServer();
  browser = await openBrowser();
  const nowS = Math.floor(Date.now() / 1000);
  const documents = Array.from({ length: 250 }, (_, at) => {
    const annotations = at < 2 ? { order: `rare-${at}`, tier: `gold-${at}` } : { order: `o-${at}` };
    const start_time = nowS - 300 + at;
    return JSON.stringify(segment({ start_time, end_time: start_time + 0.1, fault: at === 0, annotations }));
  });
  for (let at = 0; at < documents.length; at += 50) {
    await server.xray.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments: documents.slice(at, at + 50) }));
  }
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeFolder(server.dataDir);
});

test.each(['light', 'dark'] as const)('the filter box offers values of the traces that fit, %s', async (theme) => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: theme });
  page.setDefaultTimeout(60_000);
  await page.goto(`${server.url}/traces`);
  await page.locator('.cm-content').first().click();
  const options = page.getByRole('option');
  const offered = async (text: string, expected: readonly string[]) => {
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type(text);
    await options.filter({ hasText: expected[0] as string }).waitFor();
    await expect.poll(async () => (await options.allTextContents()).sort()).toEqual(expected);
  };
  await offered('annotation.order = "rare', ['"rare-0"', '"rare-1"']);
  await offered('fault AND annotation.tier = "', ['"gold-0"']);
  await page.close();
});
