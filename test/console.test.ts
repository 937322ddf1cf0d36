import { randomBytes } from 'node:crypto';
import { PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBrowser } from './support/browser.ts';
import { entityId, segment, traceId } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer, temporaryFolder } from './support/server.ts';

let server: TestServer;
let browser: Browser;
let page: Page;
let pageErrors: string[];

beforeAll(async () => {
  server = await startTestServer();
  browser = await openBrowser();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeFolder(server.dataDir);
});

beforeEach(async () => {
  pageErrors = [];
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on('pageerror', (error) => pageErrors.push(error.message));
  page.setDefaultTimeout(60_000);
});

afterEach(async () => {
  await page.close();
  expect(pageErrors).toEqual([]);
});

/** Sends a trace of a shop that calls a payment service, which fails with an exception; returns the trace id. */
async function putTrace(user: string): Promise<string> {
  const trace_id = traceId();
  const [call, query] = [entityId(), entityId()];
  const root = segment({ trace_id, name: 'shop', fault: true, annotations: { user_id: user } });
  const start = root.start_time;
  const documents = [
    {
      ...root,
      http: { request: { method: 'POST', url: 'https://shop.example/pay' }, response: { status: 500 } },
      metadata: { checkout: { cart: { items: 3 } } },
      subsegments: [
        {
          id: call,
          name: 'payments.example',
          namespace: 'remote',
          start_time: start + 0.01,
          end_time: start + 0.09,
          fault: true,
        },
        {
          id: query,
          name: 'orders@db.example',
          namespace: 'remote',
          start_time: start + 0.01,
          end_time: start + 0.02,
          sql: { sanitized_query: 'SELECT price FROM orders WHERE id = ?', database_type: 'PostgreSQL' },
        },
      ],
    },
    segment({
      trace_id,
      name: 'payments',
      parent_id: call,
      origin: 'AWS::ECS::Container',
      start_time: start + 0.02,
      end_time: start + 0.08,
      fault: true,
      cause: {
        exceptions: [
          {
            id: entityId(),
            type: 'CardDeclined',
            message: 'no funds',
            stack: [{ path: 'pay.ts', line: 7, label: 'charge' }],
          },
        ],
      },
    }),
  ];
  await server.xray.send(
    new PutTraceSegmentsCommand({ TraceSegmentDocuments: documents.map((document) => JSON.stringify(document)) }),
  );
  return trace_id;
}

/**
 * A segment, `id`, and `levels` subsegments, each nested in the one before: 400 in a document, within X-Ray's 64 KB.
 */
function deepTrace(levels: number) {
  const root = segment({ name: 'level 0' });
  const { start_time, end_time, trace_id } = root;
  const ids = Array.from({ length: levels }, entityId);
  const documents = [JSON.stringify(root)];
  for (let first = 0; first < levels; first += 400) {
    const nested = ids.slice(first, first + 400).reduceRight<object | undefined>((below, id, index) => {
      const fields = { id, name: `level ${first + index + 1}`, start_time, end_time };
      return below === undefined ? fields : { ...fields, subsegments: [below] };
    }, undefined);
    const parent_id = first === 0 ? root.id : ids[first - 1];
    documents.push(JSON.stringify({ ...nested, type: 'subsegment', trace_id, parent_id }));
  }
  return { id: root.id, traceId: trace_id, documents };
}

describe('on an empty store', () => {
  test.each(['/service-map', '/traces'])('%s shows how to send a first trace', async (path) => {
    await page.goto(server.url + path);
    const port = server.daemonAddress.split(':').at(-1);
    const commands = [
      `openray invoke --port ${port}`,
      `export AWS_XRAY_DAEMON_ADDRESS=${server.daemonAddress}`,
      `export OTEL_EXPORTER_OTLP_ENDPOINT=${server.otlpHttpUrl}`,
    ];
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    for (const command of commands) {
      await page.getByText(command, { exact: true }).waitFor();
      await page.getByRole('button', { name: `Copy: ${command}` }).click();
      await page.getByText('Copied').first().waitFor();
      expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(command);
    }
  });

  test('the page of an unknown trace reports that it was not found', async () => {
    const id = traceId();
    await page.goto(`${server.url}/traces/${id}`);
    await page.getByRole('heading', { name: 'Trace not found' }).waitFor();
    await page.getByText(id, { exact: true }).waitFor();
    expect(await page.getByRole('treegrid').count()).toBe(0);
  });
});

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  const user = `user-of-${colorScheme}`;
  let id: string;

  beforeAll(async () => {
    id = await putTrace(user);
  });

  beforeEach(() => page.emulateMedia({ colorScheme }));

  test('the service map shows services, their health and calls, and leads to their traces', async () => {
    await page.goto(`${server.url}/service-map`);
    const payments = page.locator('.react-flow__node', { hasText: 'payments' }).first();
    await payments.waitFor();
    await payments.focus();
    await page.keyboard.press('Enter');
    const details = page.getByLabel('Details of the selection');
    await details.getByText('payments').first().waitFor();
    await details.getByRole('link', { name: 'Traces with faults' }).waitFor();
    await details.getByRole('link', { name: 'View traces', exact: true }).click();
    await page.waitForURL(/\/traces\?.*payments/);
    await page.getByRole('link', { name: id }).waitFor();
  });

  test('the list finds the traces with an annotation, and no others', async () => {
    const other = await putTrace('another-user');
    await page.goto(`${server.url}/traces?q=${encodeURIComponent(`annotation.user_id = "${user}"`)}`);
    await page.getByRole('link', { name: id }).waitFor();
    expect(await page.getByRole('link', { name: other }).count()).toBe(0);
  });

  test('an invalid filter is reported, and the corrected one finds the trace', async () => {
    await page.goto(`${server.url}/traces`);
    await page.getByRole('link', { name: id }).waitFor();
    const box = page.getByLabel('Filter expression').first();
    await box.click();
    await page.keyboard.type('annotation.user_id = ');
    await page.keyboard.press('Enter');
    await page.getByText('Invalid filter expression').first().waitFor();
    await page.keyboard.type(`"${user}"`);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    await page.waitForURL(/q=annotation/);
    await page.getByRole('link', { name: id }).waitFor();
  });

  test('a trace shows its timeline and all data of the selected segment or subsegment', async () => {
    await page.goto(`${server.url}/traces/${id}`);
    const rows = page.getByRole('treegrid', { name: 'Segments and subsegments' });
    await expect.poll(() => rows.getByRole('row').count()).toBe(4);
    const details = page.getByLabel('Details of the selection');

    await rows.getByText('shop', { exact: true }).first().click();
    await details.getByRole('tab', { name: /^Annotations/ }).click();
    await details.getByRole('tabpanel').getByText(user).waitFor();
    await details.getByRole('tab', { name: /^Metadata/ }).click();
    await details.getByRole('tabpanel').getByText('items').first().waitFor();
    await details.getByRole('tab', { name: /^Raw/ }).click();
    await details
      .getByRole('tabpanel')
      .getByText(/"trace_id"/)
      .first()
      .waitFor();

    await rows.getByText('payments', { exact: true }).first().click();
    await details.getByRole('tab', { name: /^Exceptions/ }).click();
    await details.getByRole('tabpanel').getByText('CardDeclined').first().waitFor();
    await details.getByRole('tabpanel').getByText('charge').first().waitFor();
    await details.getByRole('tab', { name: /^Resources/ }).click();
    await details.getByRole('tabpanel').getByText('AWS::ECS::Container').first().waitFor();

    await rows.getByText('orders@db.example').click();
    await details.getByRole('tab', { name: /^SQL/ }).click();
    await details
      .getByRole('tabpanel')
      .getByText(/SELECT price/)
      .first()
      .waitFor();
    await details.getByRole('tab', { name: /^Overview/ }).click();
    await details.getByRole('tabpanel').getByText('remote').first().waitFor();
  });

  test('the timeline works by keyboard alone', async () => {
    await page.goto(`${server.url}/traces/${id}`);
    const rows = page.getByRole('treegrid', { name: 'Segments and subsegments' });
    await rows.getByRole('row').first().waitFor();
    await rows.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByLabel('Details of the selection').waitFor();
    await page.waitForURL(/entity=[0-9a-f]{16}/);
  });
});

test('the logs of a function are on the page of its trace, metric lines as metrics', async () => {
  const trace_id = traceId();
  const fn = segment({ trace_id, name: 'orders', origin: 'AWS::Lambda::Function' });
  await server.xray.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments: [JSON.stringify(fn)] }));
  const directive = { Namespace: 'Shop', Dimensions: [['service']], Metrics: [{ Name: 'Orders', Unit: 'Count' }] };
  const metric = { _aws: { CloudWatchMetrics: [directive] }, service: 'orders', Orders: 2 };
  const texts = ['START RequestId: 1', '[ERROR]\tno stock\nat all', JSON.stringify(metric)];
  const common = { FunctionName: 'orders', TraceId: trace_id, RequestId: '1', LogGroup: '/g', LogStream: 's' };
  const Events = texts.map((Text, i) => ({ ...common, Text, AtUs: Date.now() * 1000 + i, Source: 'function' }));
  const answer = await fetch(`${server.url}/FunctionLogs`, { method: 'POST', body: JSON.stringify({ Events }) });
  expect(answer.status).toBe(200);
  await page.goto(`${server.url}/traces/${trace_id}?entity=${fn.id}&tab=logs`);
  const log = page.getByRole('tabpanel').getByRole('listitem');
  await log.filter({ hasText: 'no stock' }).waitFor();
  await log.filter({ hasText: 'Orders 2 Count in Shop service orders' }).waitFor();
  await expect.poll(() => log.count()).toBe(3);
});

test('a trace is opened by its id from any page; an invalid id is reported', async () => {
  const id = await putTrace('by-id');
  await page.goto(`${server.url}/service-map`);
  const box = page.getByLabel('Open a trace by its id');
  await box.fill('not an id');
  await box.press('Enter');
  await page.getByRole('alert').waitFor();
  await box.fill(id.replace('1-', '').replace('-', ''));
  await box.press('Enter');
  await page.waitForURL(`**/traces/${id}`);
  await page.getByRole('treegrid').waitFor();
});

test('a trace of 10,000 nested subsegments opens, with the deepest one and the whole document', async () => {
  const { id, traceId: trace_id, documents } = deepTrace(10_000);
  await server.xray.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments: [...documents] }));
  await page.goto(`${server.url}/traces/${trace_id}?map=false&entity=${id}&tab=raw`);
  await page.locator('[role=treegrid][aria-rowcount="10001"]').waitFor();
  await page.getByRole('tabpanel').getByText('more characters; copy it to see them').waitFor();
  await page.getByRole('searchbox', { name: 'Find in this trace' }).fill('level 10000');
  await page.keyboard.press('Enter');
  await page.getByRole('row').filter({ hasText: 'level 10000' }).waitFor();
});

test('pages show new traces without a reload', async () => {
  await putTrace('before');
  await page.goto(`${server.url}/traces?q=${encodeURIComponent('annotation.user_id = "arrives-later"')}`);
  // The first response has arrived, so that only a live update can show the trace.
  await page.getByText('No trace matches').waitFor();
  const id = await putTrace('arrives-later');
  await page.getByRole('link', { name: id }).waitFor();
});

test('the pages show a notice when retention has dropped documents', async () => {
  const dataDir = await temporaryFolder();
  const first = await startTestServer([], dataDir);
  for (let call = 0; call < 10; call++) {
    const documents = Array.from({ length: 50 }, () =>
      JSON.stringify(segment({ metadata: { default: { text: randomBytes(3000).toString('hex') } } })),
    );
    await first.xray.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments: documents }));
  }
  await first.stop();
  const small = await startTestServer(['--retention-max-bytes', '500000'], dataDir);
  try {
    await page.goto(`${small.url}/server`);
    await page.getByRole('region', { name: 'Store', exact: true }).getByText('documents that arrived before').waitFor();
    for (const path of ['/traces', '/service-map']) {
      await page.goto(small.url + path);
      await page.getByRole('note').filter({ hasText: 'no longer kept' }).waitFor();
    }
    const fromNow = `${new Date().toISOString()}/${new Date(Date.now() + 3_600_000).toISOString()}`;
    await page.goto(`${small.url}/traces?range=${encodeURIComponent(fromNow)}`);
    await page.getByText('No traces yet').waitFor();
    expect(await page.getByRole('note').count()).toBe(0);
  } finally {
    await small.stop();
    await removeFolder(dataDir);
  }
});
