import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { collectDocuments } from '../collect-documents.ts';
import type { RegistrationPage } from './server.ts';

const trace = 'Root=1-6650a080-3c4d5e6f708192a3b4c5d6e7;Parent=7c2e3f4a5b6c7d82';

let collector: Awaited<ReturnType<typeof collectDocuments>>;
let page: RegistrationPage;

beforeAll(async () => {
  collector = await collectDocuments();
  vi.stubEnv('AWS_XRAY_DAEMON_ADDRESS', collector.daemonAddress);
  const { startRegistrationPage } = await import('./server.ts');
  page = await startRegistrationPage(0);
});
beforeEach(() => void collector.documents.splice(0));
afterAll(async () => {
  await page.close();
  collector.close();
});

test('answers with the page, and sends its segment as a child of the caller', async () => {
  const response = await fetch(page.url, { headers: { 'x-amzn-trace-id': `${trace};Sampled=1` } });
  expect(response.status).toBe(200);
  expect(await response.text()).toContain('<h1>Conference 2024</h1>');
  expect(await collector.document('registration-page')).toMatchObject({
    trace_id: '1-6650a080-3c4d5e6f708192a3b4c5d6e7',
    parent_id: '7c2e3f4a5b6c7d82',
    http: { request: { method: 'GET', url: page.url }, response: { status: 200 } },
    subsegments: [{ name: 'render page', annotations: { edition: 2024 } }],
  });
});

test('sends nothing for a caller that does not sample', async () => {
  await fetch(page.url, { headers: { 'x-amzn-trace-id': `${trace};Sampled=0` } });
  await fetch(page.url, { headers: { 'x-amzn-trace-id': 'Root=1-6650a081-000000000000000000000002;Sampled=1' } });
  expect(await collector.document('registration-page')).toMatchObject({
    trace_id: '1-6650a081-000000000000000000000002',
  });
});

test('another page is an error of the caller', async () => {
  const other = new URL('/2023/', page.url);
  const response = await fetch(other, { headers: { 'x-amzn-trace-id': `${trace};Sampled=1` } });
  expect(response.status).toBe(404);
  expect(await collector.document('registration-page')).toMatchObject({
    error: true,
    http: { response: { status: 404 } },
  });
});
