import {
  GetServiceGraphCommand,
  GetTimeSeriesServiceStatisticsCommand,
  GetTraceSummariesCommand,
  paginateBatchGetTraces,
} from '@aws-sdk/client-xray';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aroundNow, entityId, segment, traceId } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';
import { waitFor } from './support/wait.ts';

/** Traces that exceed the bounds of a trace: the answers about all others go on. The bounds are small, so are the traces. */

const MANY = 1_000;
const LARGE = 30;
let server: TestServer;
const many = traceId();
const large = traceId();
const innocent = traceId();

beforeAll(async () => {
  server = await startTestServer(['--trace-max-documents', '200', '--trace-max-bytes', '300000']);
  await sendSpans(many, MANY, 10);
  await sendSpans(large, LARGE, 50_000);
  const repeated = Array.from({ length: 20 }, () => segment({ name: 'again', metadata: { text: 'y'.repeat(5_000) } }));
  for (let round = 0; round < 20; round++) await put(repeated);
  await put([segment({ trace_id: innocent, name: 'innocent' })]);
}, 120_000);

afterAll(async () => {
  await server.stop();
  await removeFolder(server.dataDir);
});

async function put(documents: readonly object[]): Promise<void> {
  const body = JSON.stringify({ TraceSegmentDocuments: documents.map((document) => JSON.stringify(document)) });
  const answer = await fetch(`${server.url}/TraceSegments`, { method: 'POST', body });
  expect(answer.status).toBe(200);
}

/** Spans without parents, in requests of a hundred. */
async function sendSpans(id: string, count: number, textLength: number): Promise<void> {
  for (let first = 0; first < count; first += 100) {
    const endNs = BigInt(Date.now()) * 1_000_000n;
    const spans = Array.from({ length: Math.min(100, count - first) }, () => ({
      traceId: id.slice(2).replace('-', ''),
      spanId: entityId(),
      name: 'GET /orders',
      kind: 2,
      startTimeUnixNano: String(endNs - 100_000_000n),
      endTimeUnixNano: String(endNs),
      attributes: [{ key: 'dump', value: { stringValue: 'x'.repeat(textLength) } }],
    }));
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'orders' } }] };
    const answer = await fetch(`${server.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }),
    });
    expect(answer.status).toBe(200);
  }
}

type HealthCheck = { readonly sentence: string };

test('the service map, series and lists have all traces, before and after the roll-up', async () => {
  const requests = async () => {
    const [graph, series, list] = await Promise.all([
      server.xray.send(new GetServiceGraphCommand(aroundNow())),
      server.xray.send(new GetTimeSeriesServiceStatisticsCommand(aroundNow())),
      server.xray.send(new GetTraceSummariesCommand(aroundNow())),
    ]);
    const counts = new Map(
      (graph.Services ?? [])
        .filter(({ Type }) => Type !== 'client')
        .map(({ Name, SummaryStatistics }) => [Name, SummaryStatistics?.TotalCount]),
    );
    expect(series.TimeSeriesServiceStatistics).toBeDefined();
    expect((list.TraceSummaries ?? []).map(({ Id }) => Id)).toEqual(expect.arrayContaining([many, large, innocent]));
    return counts;
  };
  const before = await requests();
  expect(before.get('innocent')).toBe(1);
  expect(before.get('again')).toBe(20);
  // The first parts: 200 spans of one trace, and those of the other that fit.
  expect(before.get('orders')).toBeGreaterThan(200);
  expect(before.get('orders')).toBeLessThan(200 + LARGE);
  await waitFor('the roll-up of both large traces', async () => {
    const { checks } = (await (await fetch(`${server.url}/health`)).json()) as { checks: readonly HealthCheck[] };
    return checks.some(({ sentence }) => sentence.includes('of 2 traces')) ? true : undefined;
  });
  expect(await requests()).toEqual(before);
  const graph = await fetch(`${server.url}/ServiceGraph`, {
    method: 'POST',
    headers: { 'x-openray-extensions': '1' },
    body: JSON.stringify(aroundNow()),
  });
  expect(await graph.json()).toMatchObject({ LimitedTraces: 2 });
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain('openray_roll_up_limited_traces_total{counted="first part"} 2');
});

test('a large trace comes in parts that together have each of its documents once', async () => {
  const ids: (string | undefined)[] = [];
  const pages = paginateBatchGetTraces({ client: server.xray }, { TraceIds: [many, innocent] });
  const limited: (boolean | undefined)[] = [];
  let pageCount = 0;
  for await (const { Traces = [] } of pages) {
    pageCount += 1;
    for (const { Id, LimitExceeded, Segments = [] } of Traces) {
      limited.push(LimitExceeded);
      if (Id === many) ids.push(...Segments.map((one) => one.Id));
      else expect(Segments).toHaveLength(1);
    }
  }
  expect(pageCount).toBeGreaterThan(MANY / 200);
  expect([ids.length, new Set(ids).size]).toEqual([MANY, MANY]);
  expect(limited).toEqual([...Array(limited.length - 1).fill(true), false]);
});

test('OpenTelemetry, Jaeger and exports have the first part, with a warning', async () => {
  const id = many.slice(2).replace('-', '');
  const otlp = await fetch(`${server.url}/v1/traces/${id}`);
  expect([otlp.status, otlp.headers.get('x-openray-incomplete')]).toEqual([200, expect.stringContaining('too large')]);
  const jaeger = (await (await fetch(`${server.url}/api/traces/${id}`)).json()) as {
    data: readonly { spans: readonly object[]; warnings: readonly string[] | null }[];
  };
  expect(jaeger.data.map(({ spans, warnings }) => [spans.length, warnings?.length])).toEqual([[expect.any(Number), 1]]);
  expect(jaeger.data[0]?.spans.length).toBeLessThanOrEqual(200);
  const lines = (await (await fetch(`${server.url}/export/traces`)).text()).trim().split('\n');
  const exported = lines.map((line) => JSON.parse(line) as { limitExceeded?: boolean });
  expect(exported.filter(({ limitExceeded }) => limitExceeded)).toHaveLength(2);
});
