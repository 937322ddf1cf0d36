import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBrowser } from './support/browser.ts';
import { type OtelService, otelService } from './support/otel.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';

/** OpenTelemetry's spans in the console, sent by its SDK. */

let server: TestServer;
let browser: Browser;
let page: Page;
let producer: OtelService;
let consumer: OtelService;
let sent: Span;
let consumed: Span;

beforeAll(async () => {
  server = await startTestServer();
  browser = await openBrowser();
  producer = otelService('orders', server, 'grpc');
  consumer = otelService('mailer', server, 'http/protobuf');

  sent = producer.tracer.startSpan('publish', {
    kind: SpanKind.PRODUCER,
    attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders', 'order.lines': [1, 2] },
  });
  sent.end();
  consumed = consumer.tracer.startSpan('process', {
    kind: SpanKind.CONSUMER,
    attributes: { 'messaging.system': 'kafka', 'tenant.id': 'acme' },
    links: [{ context: sent.spanContext(), attributes: { 'batch.position': 3 } }],
  });
  consumed.addEvent('cache miss', { 'cache.key': 'template' });
  consumed.recordException(new TypeError('no such template'));
  consumed.setStatus({ code: SpanStatusCode.ERROR, message: 'mail was not sent' });
  const inner = consumer.tracer.startSpan('render', {}, trace.setSpan(ROOT_CONTEXT, consumed));
  inner.addLink({ context: consumed.spanContext() });
  inner.end();
  consumed.end();
  for (const { flush, stop } of [producer, consumer]) {
    await flush();
    await stop();
  }
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  await removeFolder(server.dataDir);
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(60_000);
});

afterEach(() => page.close());

const xrayId = ({ traceId }: { readonly traceId: string }) => `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;
const urlOf = (span: Span, tab: string) =>
  `${server.url}/traces/${xrayId(span.spanContext())}?entity=${span.spanContext().spanId}&tab=${tab}`;
const panel = () => page.getByLabel('Details of the selection').getByRole('tabpanel');

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  beforeEach(() => page.emulateMedia({ colorScheme }));

  test('a span shows its kind, status, attributes, events, links, scope and resource', async () => {
    await page.goto(urlOf(consumed, 'span'));
    for (const text of ['Consumer', 'Error: mail was not sent'])
      await panel().getByText(text, { exact: true }).waitFor();
    await panel().getByRole('row', { name: 'tenant.id acme string' }).waitFor();
    const events = panel().getByRole('region', { name: 'Events' });
    await events.getByRole('heading', { name: 'cache miss' }).waitFor();
    await events.getByRole('row', { name: 'cache.key template string' }).waitFor();
    await events.getByRole('row', { name: /exception.message no such template/ }).waitFor();
    await panel().getByRole('region', { name: 'Links' }).getByRole('row', { name: 'batch.position 3 int' }).waitFor();
    await panel().getByText('test', { exact: true }).waitFor();
    await panel()
      .getByRole('region', { name: 'Resource' })
      .getByRole('row', { name: 'service.name mailer string' })
      .waitFor();
  });

  test('events are marks on the timeline, and a search finds them by name', async () => {
    await page.goto(urlOf(consumed, 'span'));
    const rows = page.getByRole('treegrid');
    await rows.getByTitle(/^cache miss, .* after the start$/).waitFor();
    await rows.getByTitle(/^exception, /).waitFor();
    await page.getByLabel('Find in this trace').fill('cache miss');
    await page.getByText(/^1 found/).waitFor();
  });
});

test('links lead from the consumer to the producer and back, and within a trace', async () => {
  await page.goto(urlOf(consumed, 'overview'));
  await panel().getByRole('link', { name: sent.spanContext().spanId }).click();
  await page.waitForURL(`**/traces/${xrayId(sent.spanContext())}?entity=${sent.spanContext().spanId}*`);
  await panel().getByRole('heading', { name: 'Linked from' }).waitFor();
  await panel().getByRole('link', { name: consumed.spanContext().spanId }).click();
  await page.waitForURL(`**/traces/${xrayId(consumed.spanContext())}?entity=${consumed.spanContext().spanId}*`);

  await panel()
    .getByRole('link', { name: /render.*in this trace/ })
    .click();
  await page.getByLabel('Details of the selection').getByRole('heading', { name: 'render' }).waitFor();
  await panel()
    .getByRole('link', { name: /in this trace/ })
    .first()
    .waitFor();
});

test('the raw view has the X-Ray document and the span as received', async () => {
  await page.goto(urlOf(consumed, 'raw'));
  await panel()
    .getByText(/"trace_id": "1-/)
    .waitFor();
  await panel().getByText('OpenTelemetry', { exact: true }).click();
  const code = panel().getByText(/"resourceSpans"/);
  await code.waitFor();
  const { resourceSpans } = JSON.parse((await code.textContent()) ?? '');
  expect(resourceSpans[0].scopeSpans[0].spans).toEqual([
    expect.objectContaining({ spanId: consumed.spanContext().spanId, name: 'process', kind: 5 }),
  ]);
});
