import { createSocket } from 'node:dgram';
import { SpanKind } from '@opentelemetry/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GetServerStatusResponse } from '../server/src/api/types.ts';
import { openBrowser } from './support/browser.ts';
import { segment } from './support/documents.ts';
import { otelService } from './support/otel.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';
import { eventually, waitFor } from './support/wait.ts';

/** The server's status: over the API, on /metrics and on the console's page. */

const RULE = '7d service("ping")';
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer(['--queue-max-bytes', '20000', '--retention-rules', RULE]);
});

afterAll(async () => {
  await server.stop();
  await removeFolder(server.dataDir);
});

async function status(): Promise<GetServerStatusResponse> {
  const answer = await fetch(`${server.url}/ServerStatus`, { method: 'POST', body: '{}' });
  expect(answer.status).toBe(200);
  return (await answer.json()) as GetServerStatusResponse;
}

const put = (documents: readonly object[]) =>
  fetch(`${server.url}/TraceSegments`, {
    method: 'POST',
    body: JSON.stringify({ TraceSegmentDocuments: documents.map((one) => JSON.stringify(one)) }),
  });

async function sendDatagrams(...texts: readonly string[]): Promise<void> {
  const [host, port] = server.daemonAddress.split(':') as [string, string];
  const socket = createSocket('udp4');
  for (const text of texts) await new Promise<void>((done) => socket.send(text, Number(port), host, () => done()));
  socket.close();
}

/** Fills the queue until a request is refused. Returns how many were. */
async function overwhelm(): Promise<number> {
  const large = () => segment({ metadata: { default: { text: 'x'.repeat(10_000) } } });
  return waitFor('the queue to be full', async () => {
    const answers = await Promise.all(Array.from({ length: 400 }, () => put([large()])));
    return answers.filter((answer) => answer.status === 429).length || undefined;
  });
}

test('the status names the addresses in force, and no function without a template', async () => {
  expect(await status()).toMatchObject({
    Addresses: { Daemon: server.daemonAddress, OtlpHttp: server.otlpHttpUrl, OtlpGrpc: server.otlpGrpcUrl },
    Functions: [],
  });
});

test('the counts of every receiver add up, by result and by reason', async () => {
  const header = '{"format":"json","version":1}\n';
  await sendDatagrams(header + JSON.stringify(segment()), 'no header', `${header}{"name":`);
  await put([segment(), { ...segment(), name: '' }]);
  const service = otelService('shop', server, 'grpc');
  service.tracer.startSpan('GET /', { kind: SpanKind.SERVER }).end();
  await service.flush();
  await service.stop();
  const refused = await overwhelm();

  await eventually(async () => {
    const { Documents, Rejections, Drops, RefusedRequests, Datagrams, Store } = await status();
    expect(Documents.filter(({ Queued }) => Queued !== 0)).toEqual([]);
    for (const { Received, Stored, Queued, Rejected, Dropped } of Documents) {
      expect(Received).toBe(Stored + Queued + Rejected + Dropped);
    }
    const sum = (counts: readonly { readonly Count: number }[]) => counts.reduce((all, { Count }) => all + Count, 0);
    const over = (result: 'Stored' | 'Rejected' | 'Dropped') =>
      Documents.reduce((all, receiver) => all + receiver[result], 0);
    expect(sum(Rejections)).toBe(over('Rejected'));
    expect(sum(Drops)).toBe(over('Dropped'));
    expect(Datagrams).toEqual({ Received: 3, Read: 2, Dropped: [{ Reason: 'no-header', Count: 1 }] });
    expect(Documents.find(({ Receiver }) => Receiver === 'udp')).toMatchObject({ Received: 2, Stored: 1, Rejected: 1 });
    expect(Documents.find(({ Receiver }) => Receiver === 'otlp-grpc')).toMatchObject({ Received: 1, Stored: 1 });
    expect(RefusedRequests).toEqual([{ Reason: 'queue-full', Count: refused }]);
    expect(Store).toMatchObject({
      Documents: over('Stored'),
      QueueMaxBytes: 20_000,
      IsShared: false,
      RetentionRules: [RULE],
    });
  });
});

test("the counters for Prometheus are the same as the API's", async () => {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const { Documents, Drops, RefusedRequests } = await status();
  for (const { Receiver, Received, Stored, Queued, Rejected, Dropped } of Documents) {
    expect(metrics).toContain(`openray_documents_received_total{receiver="${Receiver}"} ${Received}\n`);
    for (const [result, value] of Object.entries({ stored: Stored, rejected: Rejected, dropped: Dropped })) {
      expect(metrics).toContain(`openray_documents_total{receiver="${Receiver}",result="${result}"} ${value}\n`);
    }
    expect(metrics).toContain(`openray_documents_queued{receiver="${Receiver}"} ${Queued}\n`);
  }
  for (const { Reason, Count } of Drops) {
    expect(metrics).toContain(`openray_documents_dropped_total{reason="${Reason}"} ${Count}\n`);
  }
  expect(metrics).toContain(`openray_requests_refused_total{receiver="http"} ${RefusedRequests[0]?.Count}\n`);
});

test.each(['light', 'dark'] as const)(
  'the console shows them with advice about drops, %s theme',
  async (colorScheme) => {
    const browser = await openBrowser();
    try {
      const page = await browser.newPage({ colorScheme });
      await page.goto(server.url);
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Server' }).click();
      await page.waitForURL('**/server*');
      const all = page.getByRole('region', { name: 'Documents' }).getByRole('row', { name: /^All/ });
      const stored = await eventually(async () => {
        const cells = (await all.getByRole('cell').allInnerTexts()).map((text) => Number(text.replaceAll(',', '')));
        const [received = 0, stored = 0, queued = 0, rejected = 0, dropped = 0] = cells;
        expect(received).toBeGreaterThan(0);
        expect(received).toBe(stored + queued + rejected + dropped);
        return stored;
      });
      const refused = page.getByRole('region', { name: 'Not stored' }).getByRole('row', { name: /Request refused/ });
      await refused.getByText('--queue-max-bytes').waitFor();
      const storeCard = page.getByRole('region', { name: 'Store', exact: true });
      await storeCard.getByText('30 days').waitFor();
      await storeCard.getByText(RULE).waitFor();

      // The page shows new documents without a reload.
      await put([segment()]);
      await all
        .getByRole('cell')
        .nth(1)
        .filter({ hasText: new RegExp(`^${(stored + 1).toLocaleString('en-US')}$`) })
        .waitFor();
    } finally {
      await browser.close();
    }
  },
);
