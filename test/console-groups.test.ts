import { PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBrowser } from './support/browser.ts';
import { type Fields, segment } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';

/** Groups in the console: created, viewed, changed and deleted with the keyboard. */

let server: TestServer;
let browser: Browser;
let page: Page;
let failures: string[];

const acme = segment({ name: 'cart', annotations: { customer: 'acme' } });
const other = segment({ name: 'stock', annotations: { customer: 'other' } });

beforeAll(async () => {
  server = await startTestServer();
  browser = await openBrowser();
  const documents: readonly Fields[] = [acme, other];
  const TraceSegmentDocuments = documents.map((document) => JSON.stringify(document));
  await server.xray.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments }));
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeFolder(server.dataDir);
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(60_000);
  failures = [];
  page.on('pageerror', (error) => failures.push(error.message));
});

afterEach(async () => {
  await page.close();
  expect(failures).toEqual([]);
});

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  const name = `of-${colorScheme}`;
  beforeEach(() => page.emulateMedia({ colorScheme }));

  test('a group is created, viewed, changed and deleted', async () => {
    await page.goto(`${server.url}/groups`);
    const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
    await page.locator('.cm-content').waitFor();
    await page.getByLabel('Name').fill(name);
    await page.keyboard.press('Tab');
    await page.keyboard.type('annotation.customer = "acme" AND');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('Invalid filter expression').waitFor();
    expect(await row.count()).toBe(0);
    await page.keyboard.type(' ok');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    await row.getByText('annotation.customer = "acme" AND ok').waitFor();

    await row.getByRole('link', { name: `Traces of ${name}` }).press('Enter');
    await page.getByRole('link', { name: acme.trace_id }).waitFor();
    expect(await page.getByRole('link', { name: other.trace_id }).count()).toBe(0);
    expect(page.url()).toContain(`inGroup=${name}`);

    const select = page.getByRole('button', { name: `Group ${name}` });
    await select.press('Enter');
    await page.getByRole('option', { name: 'All traces' }).waitFor();
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: other.trace_id }).waitFor();

    await page.goto(`${server.url}/service-map?view=table&inGroup=${name}`);
    await page.getByRole('row').filter({ hasText: 'cart' }).first().waitFor();
    expect(await page.getByRole('row').filter({ hasText: 'stock' }).count()).toBe(0);

    await page.goto(`${server.url}/groups`);
    await row.getByRole('button', { name: `Change ${name}` }).press('Enter');
    const form = page.getByRole('region', { name: `Change ${name}` });
    await form.locator('.cm-content').click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('service("stock")');
    await page.keyboard.press('Escape');
    await form.getByRole('button', { name: 'Save' }).press('Enter');
    await row.getByText('service("stock")').waitFor();
    await page.getByRole('region', { name: 'New group' }).waitFor();

    await row.getByRole('button', { name: `Delete ${name}`, exact: true }).press('Enter');
    await row.getByRole('button', { name: `Delete ${name} now` }).press('Enter');
    await row.waitFor({ state: 'detached' });
  });
});
