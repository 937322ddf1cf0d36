import { join } from 'node:path';
import {
  BatchGetTracesCommand,
  GetSamplingRulesCommand,
  GetServiceGraphCommand,
  GetTraceSummariesCommand,
  PutTraceSegmentsCommand,
} from '@aws-sdk/client-xray';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOpenray } from '../scripts/openray.ts';
import { entityId, segment } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer, temporaryFolder } from './support/server.ts';

/** `openray backup` and `openray restore`, run as commands. */

let server: TestServer;
let folder: string;
const window = { StartTime: new Date(Date.now() - 300_000), EndTime: new Date(Date.now() + 60_000) };

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startTestServer(['--backup-dir', join(folder, 'backups')], join(folder, 'data'));
});

afterAll(async () => {
  await server.stop();
  await removeFolder(folder);
});

async function put(count: number): Promise<readonly string[]> {
  const documents = Array.from({ length: count }, (_, index) => {
    const top = segment({ name: `service ${index % 3}`, annotations: { index }, fault: index % 7 === 0 });
    const { start_time, end_time } = top;
    return {
      ...top,
      subsegments: [{ id: entityId(), name: 'DynamoDB', namespace: 'aws', start_time, end_time }],
    };
  });
  await server.xray.send(
    new PutTraceSegmentsCommand({ TraceSegmentDocuments: documents.map((document) => JSON.stringify(document)) }),
  );
  return documents.map(({ trace_id }) => trace_id);
}

/** Responses of the X-Ray API, without the members that depend on the time of the request. */
async function answersOf({ xray }: TestServer, ids: readonly string[]): Promise<object> {
  const graph = await xray.send(new GetServiceGraphCommand(window));
  const summaries = await xray.send(
    new GetTraceSummariesCommand({ ...window, FilterExpression: 'annotation.index < 5' }),
  );
  const traces = await xray.send(new BatchGetTracesCommand({ TraceIds: ids.slice(0, 5) }));
  const rules = await xray.send(new GetSamplingRulesCommand({}));
  return {
    services: graph.Services,
    summaries: summaries.TraceSummaries,
    traces: traces.Traces?.map(({ Id, Segments, Duration }) => ({ Id, Segments, Duration })),
    rules: rules.SamplingRuleRecords,
  };
}

const backUp = (...args: readonly string[]) => runOpenray(['backup', ...args]);
const restoreInto = (name: string, ...flags: readonly string[]) =>
  runOpenray(['restore', name, '--backup-dir', join(folder, 'backups'), ...flags]);

test('a server on the restored backup of a running server gives the same responses', async () => {
  const ids = await put(40);
  const before = await answersOf(server, ids);
  const saved = await backUp('monday', '--endpoint-url', server.url);
  expect(saved.stderr).toBe('');
  expect(saved.stdout).toMatch(/^backup monday: \d+\.\d MB in File\('.*\/backups\/monday'\)\n$/);
  // These documents are not in the backup.
  await put(3);

  const restored = await restoreInto('monday', '--data-dir', join(folder, 'restored'));
  expect(restored.stderr).toBe('');
  expect(restored.stdout).toContain('restored into');
  const second = await startTestServer([], join(folder, 'restored'));
  try {
    expect(await answersOf(second, ids)).toEqual(before);
  } finally {
    await second.stop();
  }
});

test('without a server the command opens the data directory, and names the backup by the time', async () => {
  const dataDir = join(folder, 'alone');
  const { stdout, stderr } = await backUp('--data-dir', dataDir, '--port', '0');
  expect(stderr).toBe('');
  expect(stdout).toMatch(/in File\('.*\/alone\/backups\/20\d\d-\d\d-\d\dT\d\d-\d\d-\d\dZ'\)\n$/);
});

test('a backup or restore that fails prints one sentence', async () => {
  const twice = await backUp('twice', '--endpoint-url', server.url);
  expect(twice.exitCode).toBe(0);
  expect(await backUp('twice', '--endpoint-url', server.url)).toMatchObject({
    exitCode: 2,
    stderr: 'openray: There is a backup twice already\n',
  });
  expect(await backUp('../elsewhere', '--endpoint-url', server.url)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('A backup has a name of'),
  });
  expect(await restoreInto('unknown', '--data-dir', join(folder, 'nothing'))).toMatchObject({
    exitCode: 66,
    stderr: expect.stringContaining('There is no backup unknown'),
  });
  expect(await restoreInto('twice', '--data-dir', server.dataDir)).toMatchObject({
    exitCode: 73,
    stderr: expect.stringContaining('in use'),
  });
});
