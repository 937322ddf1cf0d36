import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { BatchGetTracesCommand, PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import { expect, onTestFinished, test } from 'vitest';
import { cleanEnvironment, runOpenray } from '../scripts/openray.ts';
import { enginesOf, hasEnded, queueForEngineLock, signalThread } from '../server/src/store/testing/engine-faults.ts';
import { segment } from './support/documents.ts';
import {
  removeFolder,
  serverForThisTest,
  startTestServer,
  type TestServer,
  temporaryFolder,
} from './support/server.ts';
import { eventually, waitFor } from './support/wait.ts';

/** The process of the embedded engine ends or hangs, and the server does not. */

const PROGRAM = new URL('../server/bin/openray.cjs', import.meta.url).pathname;
const isLinux = process.platform === 'linux';
const hasPython = spawnSync('python3', ['--version']).status === 0;
/** A fault in each kind of thread, and kills of the whole process. */
const FAULTS = [
  ['SIGKILL', undefined],
  ['SIGBUS', 'main'],
  ['SIGABRT', 'node'],
  ['SIGSEGV', 'clickhouse'],
] as const;

const pidOf = (server: TestServer): number => server.process.pid ?? 0;
const engineOf = (server: TestServer): number => enginesOf(pidOf(server)).at(-1) ?? 0;

async function put(server: TestServer): Promise<{ traceId: string; id: string }> {
  const document = segment();
  const command = new PutTraceSegmentsCommand({ TraceSegmentDocuments: [JSON.stringify(document)] });
  expect((await server.xray.send(command)).UnprocessedTraceSegments).toEqual([]);
  return { traceId: document.trace_id, id: document.id };
}

async function storedIds(server: TestServer, traceIds: readonly string[]): Promise<readonly (string | undefined)[]> {
  const ids: (string | undefined)[] = [];
  for (let first = 0; first < traceIds.length; first += 5) {
    const command = new BatchGetTracesCommand({ TraceIds: traceIds.slice(first, first + 5) });
    const { Traces = [] } = await server.xray.send(command);
    ids.push(...Traces.flatMap(({ Segments = [] }) => Segments.map(({ Id }) => Id)));
  }
  return ids;
}

const ask = (server: TestServer, path: string, body?: object) =>
  fetch(`${server.url}${path}`, body && { method: 'POST', body: JSON.stringify(body) });

/** Reads the store, with no document waiting. */
const question = (server: TestServer) =>
  ask(server, '/TraceSummaries', { StartTime: Date.now() / 1000 - 60, EndTime: Date.now() / 1000 });

async function metricOf(server: TestServer, name: string): Promise<number> {
  const metrics = await (await ask(server, '/metrics')).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
}

test.runIf(isLinux && hasPython)(
  'under load, faults of the engine cost no document and no acknowledgement',
  async () => {
    const server = await serverForThisTest();
    const acknowledged: { traceId: string; id: string }[] = [];
    let isOver = false;
    const write = async () => {
      while (!isOver) acknowledged.push(await put(server));
    };
    const read = async () => {
      while (!isOver) await (await question(server)).arrayBuffer();
    };
    const load = Promise.all([write(), write(), write(), read()]);
    load.catch(() => {});
    for (const [index, [signal, thread]] of FAULTS.entries()) {
      const before = acknowledged.length;
      await waitFor('more documents', () => acknowledged.length >= before + 20 || undefined);
      const pid = engineOf(server);
      if (thread === undefined) process.kill(pid, signal);
      else signalThread(pid, thread, signal);
      await eventually(() => expect(hasEnded(pid)).toBe(true));
      await eventually(async () => expect(await metricOf(server, 'openray_engine_up')).toBe(1));
      expect(await metricOf(server, 'openray_engine_restarts_total')).toBe(index + 1);
    }
    isOver = true;
    await load;
    const stored = await storedIds(
      server,
      acknowledged.map(({ traceId }) => traceId),
    );
    expect(stored.toSorted()).toEqual(acknowledged.map(({ id }) => id).toSorted());
  },
);

test.runIf(isLinux)(
  'while the engine is away: writes, rules, targets and groups are answered, questions get 503',
  async () => {
    const server = await serverForThisTest();
    await ask(server, '/CreateGroup', { GroupName: 'slow', FilterExpression: 'duration > 5' });
    const pid = engineOf(server);
    const lock = await queueForEngineLock(server.dataDir);
    process.kill(pid, 'SIGKILL');
    await lock.locked;

    await eventually(async () => {
      const answer = await question(server);
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    });
    const written = await put(server);
    expect((await ask(server, '/GetSamplingRules', {})).status).toBe(200);
    const report = { RuleName: 'Default', ClientID: 'a'.repeat(24), Timestamp: Date.now() / 1000, RequestCount: 1 };
    const targets = await ask(server, '/SamplingTargets', {
      SamplingStatisticsDocuments: [{ ...report, SampledCount: 1, BorrowCount: 0 }],
    });
    expect(targets.status).toBe(200);
    const groups = (await (await ask(server, '/Groups', {})).json()) as { Groups: readonly { GroupName: string }[] };
    expect(groups.Groups.map(({ GroupName }) => GroupName)).toEqual(['Default', 'slow']);
    await eventually(async () => {
      const health = await ask(server, '/health');
      const { checks } = (await health.json()) as { checks: readonly object[] };
      expect(health.status).toBe(200);
      expect(checks).toContainEqual(expect.objectContaining({ name: 'engine', state: 'not-ready' }));
    });
    expect((await ask(server, '/ready')).status).toBe(503);

    const second = await runOpenray(['serve', '--port', '0', '--data-dir', server.dataDir]);
    expect(second.exitCode).toBe(73);
    expect(second.stderr).toContain(`the server with process id ${pidOf(server)}`);

    lock.release();
    await eventually(async () => expect((await ask(server, '/ready')).status).toBe(200));
    expect(await storedIds(server, [written.traceId])).toEqual([written.id]);
  },
);

test.runIf(isLinux)('SIGTERM ends a server whose engine hangs, and no acknowledged document is lost', async () => {
  const server = await serverForThisTest();
  process.kill(engineOf(server), 'SIGSTOP');
  const { traceId, id } = await put(server);
  const exited = once(server.process, 'exit');
  server.process.kill('SIGTERM');
  const [exitCode] = await exited;
  expect(exitCode).toBe(0);
  const again = await startTestServer([], server.dataDir);
  onTestFinished(() => again.stop());
  expect(await storedIds(again, [traceId])).toEqual([id]);
});

test.runIf(isLinux)('the engine of a killed server ends, also during a query', async () => {
  const server = await serverForThisTest();
  const pid = engineOf(server);
  const asking = question(server).catch(() => undefined);
  await server.kill();
  await asking;
  await eventually(() => expect(hasEnded(pid)).toBe(true));
});

test.runIf(isLinux)('Ctrl-C reaches both processes, and the server inserts what it has acknowledged', async () => {
  const dataDir = await temporaryFolder();
  onTestFinished(() => removeFolder(dataDir));
  const flags = ['--port', '0', '--otlp-http-port', 'none', '--otlp-grpc-port', 'none', '--data-dir', dataDir];
  // Leads a process group, as the foreground job of a shell does.
  const child = spawn(PROGRAM, ['serve', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
    env: cleanEnvironment(),
  });
  const exited = once(child, 'exit');
  let printed = '';
  child.stdout.on('data', (text) => {
    printed += text;
  });
  const url = await waitFor('the address', () => /console +(\S+)[\s\S]*data/.exec(printed)?.[1]);
  const body = JSON.stringify({ TraceSegmentDocuments: [JSON.stringify(segment())] });
  expect((await fetch(`${url}/TraceSegments`, { method: 'POST', body })).status).toBe(200);
  process.kill(-(child.pid ?? 0), 'SIGINT');
  expect(await exited).toEqual([0, null]);
  const again = await startTestServer([], dataDir);
  onTestFinished(() => again.stop());
  // A question is answered once all documents of an earlier process are inserted.
  await again.xray.send(new BatchGetTracesCommand({ TraceIds: [segment().trace_id] }));
  expect(await metricOf(again, 'openray_store_replayed_documents_total')).toBe(0);
});
