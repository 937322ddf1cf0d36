import { spawnSync } from 'node:child_process';
import { mkdir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startClickHouse } from '../server/src/store/testing/clickhouse-server.ts';
import { segment } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer, temporaryFolder } from './support/server.ts';
import { eventually } from './support/wait.ts';

type Check = { readonly name: string; readonly ok: boolean; readonly sentence: string };
type Seen = {
  readonly health: number;
  readonly status: string;
  readonly ready: number;
  /** Names of the checks that failed. */
  readonly failed: readonly string[];
};

async function look(server: TestServer): Promise<Seen> {
  const health = await fetch(`${server.url}/health`);
  const { status, checks } = (await health.json()) as { status: string; checks: readonly Check[] };
  const ready = await fetch(`${server.url}/ready`);
  const readyBody = (await ready.json()) as { ready: boolean };
  expect(readyBody.ready).toBe(ready.ok);
  for (const { sentence } of checks) expect(sentence).toMatch(/^\S.{8,}/);
  const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name);
  return { health: health.status, status, ready: ready.status, failed };
}

const HEALTHY: Seen = { health: 200, status: 'ok', ready: 200, failed: [] };

async function statusOf(server: TestServer, path: string, body: object): Promise<number> {
  const answer = await fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  await answer.arrayBuffer();
  return answer.status;
}

const write = (server: TestServer) =>
  statusOf(server, '/TraceSegments', { TraceSegmentDocuments: [JSON.stringify(segment())] });
const read = (server: TestServer) =>
  statusOf(server, '/TraceSummaries', { StartTime: Date.now() / 1000 - 3_600, EndTime: Date.now() / 1000 });

async function start(flags: readonly string[], dataDir?: string): Promise<TestServer> {
  const server = await startTestServer(flags, dataDir);
  onTestFinished(async () => {
    await server.kill();
    await removeFolder(server.dataDir);
  });
  await eventually(async () => expect(await look(server)).toEqual(HEALTHY));
  expect([await write(server), await read(server)]).toEqual([200, 200]);
  return server;
}

test('a removed data directory: failing, also if it is made again', async () => {
  const server = await start([]);
  const spool = join(server.dataDir, 'spool');
  await rename(spool, join(server.dataDir, 'removed'));
  await eventually(async () =>
    expect(await look(server)).toMatchObject({ health: 503, status: 'failing', ready: 503, failed: ['directory'] }),
  );
  // The journal has a folder of its own: documents are acknowledged, and inserted once the directory is there again.
  expect([await write(server), await read(server)]).toEqual([200, 200]);
  await mkdir(spool);
  await eventually(async () => expect((await look(server)).failed).toContain('directory'));
});

const isLinux = process.platform === 'linux';
const canMount = isLinux && process.getuid?.() === 0;

test.skipIf(!canMount)('a full disk: alive and not ready, until there is space again', async () => {
  const disk = await temporaryFolder();
  onTestFinished(() => removeFolder(disk));
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=200m', 'tmpfs', disk]).status).toBe(0);
  onTestFinished(() => void spawnSync('umount', ['--lazy', disk]));
  const server = await start([], join(disk, 'data'));
  // The journal keeps it until a question comes.
  expect(await write(server)).toBe(200);
  const ballast = join(disk, 'ballast');
  const { bavail, bsize } = await statfs(disk);
  await writeFile(ballast, Buffer.alloc(bavail * bsize)).catch(() => undefined);
  await eventually(async () =>
    expect(await look(server)).toMatchObject({ health: 200, status: 'degraded', ready: 503 }),
  );
  // The last page of the journal may have room for some.
  await eventually(async () => expect(await write(server)).toBe(503));
  expect(await read(server)).toBe(200);
  await eventually(async () => expect((await look(server)).failed).toEqual(['disk', 'inserts']));
  await rm(ballast);
  await eventually(async () => expect(await write(server)).toBe(200));
  await eventually(async () => expect(await look(server)).toEqual(HEALTHY));
});

test.runIf(process.platform === 'linux')(
  'a ClickHouse that hangs, and a queue at its bound: alive and not ready, until it answers again',
  async () => {
    const { shard, url } = await startStore();
    const server = await start(['--store-url', url, '--queue-max-bytes', '100', '--query-max-ms', '3000']);
    await shard.pause();
    const waiting = write(server);
    await eventually(async () =>
      expect(await look(server)).toEqual({
        ...{ health: 200, status: 'degraded', ready: 503 },
        failed: ['engine', 'queue', 'roll-up'],
      }),
    );
    expect([await write(server), await read(server)]).toEqual([429, 503]);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain('openray_engine_up 0\n');
    expect(Number(/^openray_store_queue_age_seconds (\S+)$/m.exec(metrics)?.[1])).toBeGreaterThan(1);
    shard.resume();
    expect(await waiting).toBe(200);
    await eventually(async () => expect(await look(server)).toEqual(HEALTHY));
  },
);

test('a ClickHouse that is down: failing, until it is up again', async () => {
  const { shard, url } = await startStore();
  const server = await start(['--store-url', url]);
  await shard.kill();
  await eventually(async () =>
    expect(await look(server)).toMatchObject({ health: 503, status: 'failing', ready: 503 }),
  );
  expect([await write(server), await read(server)]).toEqual([503, 503]);
  await eventually(async () => expect((await look(server)).failed).toEqual(['engine', 'inserts', 'roll-up']));
  await shard.start();
  await eventually(async () => expect(await write(server)).toBe(200));
  await eventually(async () => expect(await look(server)).toEqual(HEALTHY));
});

async function startStore() {
  const { shards, url, stop } = await startClickHouse();
  onTestFinished(stop);
  return { shard: shards[0] as (typeof shards)[number], url };
}

test('metrics have response times by route and status, and the memory by owner', async () => {
  const server = await start([]);
  await fetch(`${server.url}/no/such/path`);
  await fetch(`${server.url}/TraceSummaries`, { method: 'POST', body: 'no JSON' });
  await write(server);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const value = (series: string) => {
    const line = metrics.split('\n').find((candidate) => candidate.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  const requests = (route: string, status: string) =>
    value(`openray_http_request_duration_seconds_count{route="${route}",status="${status}"}`);
  expect(requests('/TraceSegments', '2xx')).toBe(2);
  expect(requests('/TraceSummaries', '4xx')).toBe(1);
  expect(metrics).not.toMatch(/no\/such\/path/);
  for (const owner of ['resident', 'heap', 'external', 'buffers', 'engine', ...(isLinux ? ['engine-resident'] : [])]) {
    expect(value(`openray_memory_bytes{owner="${owner}"}`)).toBeGreaterThan(0);
  }
  for (const quantile of ['0.5', '0.99', '1']) {
    expect(value(`openray_event_loop_delay_seconds{quantile="${quantile}"}`)).toBeGreaterThanOrEqual(0);
  }
  if (isLinux) expect(value('openray_engine_cpu_seconds_total{mode="user"}')).toBeGreaterThan(0);
  expect(value('openray_engine_restarts_total')).toBe(0);
  expect(value('openray_engine_up')).toBe(1);
  expect(value('openray_engine_parts')).toBeGreaterThan(0);
  expect(value('openray_engine_merges')).toBeGreaterThanOrEqual(0);
  expect(value('openray_roll_up_lag_seconds')).toBeLessThan(60);
  expect(value('openray_store_queue_age_seconds')).toBeLessThan(60);
});
