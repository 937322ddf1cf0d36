import { BatchGetTracesCommand, GetSamplingTargetsCommand, PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ClickHouseCluster, startClickHouse } from '../server/src/store/testing/clickhouse-server.ts';
import { openBrowser } from './support/browser.ts';
import { segment, traceId } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';
import { eventually, waitFor } from './support/wait.ts';

/** Two openray servers on one ClickHouse cluster of two shards. */

let cluster: ClickHouseCluster;
let servers: readonly [TestServer, TestServer];

beforeAll(async () => {
  cluster = await startClickHouse(2);
  const start = () => startTestServer(['--store-url', cluster.url]);
  servers = [await start(), await start()];
});

afterAll(async () => {
  for (const server of servers) {
    await server.stop();
    await removeFolder(server.dataDir);
  }
  await cluster.stop();
});

async function put(server: TestServer, count: number): Promise<readonly string[]> {
  const documents = Array.from({ length: count }, () => segment());
  const command = new PutTraceSegmentsCommand({ TraceSegmentDocuments: documents.map((one) => JSON.stringify(one)) });
  const { UnprocessedTraceSegments } = await server.xray.send(command);
  expect(UnprocessedTraceSegments).toEqual([]);
  return documents.map((document) => document.trace_id);
}

async function callOwn(server: TestServer, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  return answer.json();
}

async function countSummaries(server: TestServer) {
  const now = Date.now() / 1000;
  const answer = await fetch(`${server.url}/TraceSummaries`, {
    method: 'POST',
    body: JSON.stringify({ StartTime: now - 300, EndTime: now + 60 }),
  });
  const body = (await answer.json()) as { TraceSummaries?: readonly unknown[] };
  return { count: body.TraceSummaries?.length, incomplete: answer.headers.get('x-openray-incomplete') };
}

test('a document that one server has stored is visible on the other at once', async () => {
  const ids = await put(servers[0], 5);
  const { Traces = [] } = await servers[1].xray.send(new BatchGetTracesCommand({ TraceIds: [...ids] }));
  expect(Traces.map(({ Id }) => Id).sort()).toEqual([...ids].sort());
});

test('a waiting request and an event stream of one server are notified of documents of the other', async () => {
  const events = await fetch(`${servers[1].url}/events`);
  const id = traceId();
  const waiting = callOwn(servers[1], '/WaitForTrace', { TraceId: id, TimeoutSeconds: 20 });
  await servers[0].xray.send(
    new PutTraceSegmentsCommand({ TraceSegmentDocuments: [JSON.stringify(segment({ trace_id: id }))] }),
  );
  expect(await waiting).toMatchObject({ TraceId: id, Found: true });
  let received = '';
  for await (const bytes of events.body as unknown as AsyncIterable<Uint8Array>) {
    received += Buffer.from(bytes).toString();
    if (received.includes(id)) break;
  }
  expect(received).toContain('event: stored');
});

test('a reservoir is shared by the clients of both servers', async () => {
  const report = async (server: TestServer, ClientID: string, secondsAgo: number) => {
    const counts = { RequestCount: 100, SampledCount: 1, BorrowCount: 1 };
    const Timestamp = new Date(Date.now() - secondsAgo * 1000);
    const { SamplingTargetDocuments: targets = [] } = await server.xray.send(
      new GetSamplingTargetsCommand({
        SamplingStatisticsDocuments: [{ RuleName: 'Default', ClientID, Timestamp, ...counts }],
      }),
    );
    return targets[0]?.ReservoirQuota ?? undefined;
  };
  const [one, other] = servers;
  expect(await Promise.all([report(one, 'a', 20), report(other, 'b', 20)])).toEqual([undefined, undefined]);
  const quotas = await Promise.all([report(one, 'a', 10), report(other, 'b', 10)]);
  expect(quotas.map(Number).sort()).toEqual([0, 1]);
});

test('without a shard, lists are marked as incomplete, writes are refused, and no document is lost', async () => {
  await put(servers[0], 40);
  const before = await countSummaries(servers[1]);
  expect(before.incomplete).toBeNull();

  await cluster.shards[1]?.kill();
  const during = await countSummaries(servers[1]);
  expect(during.incomplete).toBe('a shard cannot be reached');
  expect(during.count).toBeGreaterThan(0);
  expect(during.count).toBeLessThan(before.count ?? 0);
  const refusal = await fetch(`${servers[0].url}/TraceSegments`, {
    method: 'POST',
    body: JSON.stringify({ TraceSegmentDocuments: Array.from({ length: 40 }, () => JSON.stringify(segment())) }),
  });
  expect(refusal.status).toBe(503);
  expect(refusal.headers.get('retry-after')).toBe('5');

  await cluster.shards[1]?.start();
  await waitFor('writes to be accepted again', () => put(servers[0], 10).catch(() => undefined));
  const after = { count: (before.count ?? 0) + 10, incomplete: null };
  // The servers notice at different times that the shard is up.
  await eventually(async () => expect(await countSummaries(servers[1])).toEqual(after));
});

test('every page of the console has a notice while a shard is down', async () => {
  const ids = await put(servers[0], 40);
  const browser = await openBrowser();
  try {
    await cluster.shards[1]?.kill();
    const [map, list, missing] = [await browser.newPage(), await browser.newPage(), await browser.newPage()];
    const notice = (page: Page) => page.getByRole('alert').filter({ hasText: 'incomplete' });
    await list.goto(`${servers[0].url}/traces`);
    await map.goto(`${servers[0].url}/service-map`);
    await missing.goto(`${servers[0].url}/traces/${await traceOnLostShard(ids)}`);
    await notice(list).waitFor();
    await notice(map).waitFor();
    await missing.getByText('cannot be looked up now').waitFor();

    await cluster.shards[1]?.start();
    await missing.getByRole('treegrid').waitFor();
    await notice(list).waitFor({ state: 'detached' });
    await notice(map).waitFor({ state: 'detached' });
    await list.getByRole('link', { name: '1-' }).first().waitFor();
  } finally {
    await browser.close();
  }
});

async function traceOnLostShard(ids: readonly string[]): Promise<string> {
  for (const id of ids) {
    const answer = await fetch(`${servers[0].url}/Traces`, {
      method: 'POST',
      body: JSON.stringify({ TraceIds: [id] }),
    });
    const { Traces } = (await answer.json()) as { Traces: readonly unknown[] };
    if (Traces.length === 0) return id;
  }
  throw new Error('every trace is on a reachable shard');
}

test('the output of the server has no password', async () => {
  expect(servers[0].output()).not.toContain(new URL(cluster.url.replace(/,[^/]*/, '')).password);
});
