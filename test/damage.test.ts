import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runOpenray } from '../scripts/openray.ts';
import type { GetServerStatusResponse } from '../server/src/api/types.ts';
import { sql } from '../server/src/store/sql.ts';
import { openTestStore } from '../server/src/store/testing/open-test-store.ts';
import { openBrowser } from './support/browser.ts';
import { segment } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer, temporaryFolder } from './support/server.ts';
import { eventually } from './support/wait.ts';

const INCOMPLETE = 'x-openray-incomplete';

async function post(server: TestServer, path: string, body: object) {
  const headers = { 'x-openray-extensions': '1' };
  const answer = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect([path, answer.status]).toEqual([path, 200]);
  return { body: await answer.json(), incomplete: answer.headers.get(INCOMPLETE) };
}

/** Stores a trace of a service and resolves with its id when it is rolled up. */
async function put(server: TestServer, name: string): Promise<string> {
  const document = segment({ name });
  await post(server, '/TraceSegments', { TraceSegmentDocuments: [JSON.stringify(document)] });
  await eventually(async () =>
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain('openray_roll_up_lag_seconds 0\n'),
  );
  return document.trace_id;
}

const window = () => ({ StartTime: Date.now() / 1000 - 3_600, EndTime: Date.now() / 1000 + 60 });

/** Traces that the list has, whether it says that some are missing, and the time before which documents were dropped. */
async function list(server: TestServer) {
  const { body, incomplete } = await post(server, '/TraceSummaries', window());
  const { TraceSummaries, PrunedBefore } = body as {
    TraceSummaries: readonly { readonly Id: string }[];
    PrunedBefore?: number;
  };
  return { ids: TraceSummaries.map(({ Id }) => Id), incomplete, isPruned: PrunedBefore !== undefined };
}

/** Damages the one part of the documents in a closed store, and returns its name. */
async function damageDocuments(dataDir: string): Promise<string> {
  const store = await openTestStore(dataDir);
  const [part] = await store.query<{ name: string; path: string }>(
    sql`SELECT name, path FROM system.parts WHERE active AND table = 'documents'`,
  );
  await store.close();
  const file = join(part?.path ?? '', 'data.bin');
  const bytes = await readFile(file);
  for (let at = 16; at < bytes.length; at += 1) bytes[at] = (bytes[at] as number) ^ 0x55;
  await writeFile(file, bytes);
  return part?.name ?? '';
}

/** The list has a notice, and the Server page names the part. */
async function expectConsoleToShow(server: TestServer, part: string): Promise<void> {
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}/traces`);
    await page.getByRole('alert').filter({ hasText: 'cannot read some of its data' }).waitFor();
    await page.goto(`${server.url}/server`);
    await page.getByRole('region', { name: 'Store', exact: true }).getByText(`documents ${part}: Code`).waitFor();
  } finally {
    await browser.close();
  }
}

test('with a damaged part all questions are answered, without its documents, until it is repaired', async () => {
  const dataDir = await temporaryFolder();
  onTestFinished(() => removeFolder(dataDir));
  const start = async () => {
    const server = await startTestServer([], dataDir);
    onTestFinished(() => server.stop());
    return server;
  };
  const before = await start();
  const lost = await put(before, 'lost');
  await before.stop();
  const part = await damageDocuments(dataDir);

  const damaged = await start();
  const kept = await put(damaged, 'kept');
  const reason = 'damaged parts are left out';
  expect(await list(damaged)).toEqual({ ids: [kept], incomplete: reason, isPruned: false });
  expect(await post(damaged, '/Traces', { TraceIds: [lost] })).toMatchObject({
    ...{ body: { Traces: [] }, incomplete: reason },
  });
  expect((await post(damaged, '/ServiceGraph', window())).incomplete).toBe(reason);
  expect((await post(damaged, '/TraceGraph', { TraceIds: [lost, kept] })).incomplete).toBe(reason);
  const jaeger = await fetch(`${damaged.url}/api/traces?service=kept`);
  expect([jaeger.status, jaeger.headers.get(INCOMPLETE)]).toEqual([200, reason]);
  const status = (await post(damaged, '/ServerStatus', {})).body as GetServerStatusResponse;
  expect(status.Store.DamagedParts).toEqual([
    { Table: 'documents', Part: part, Reason: expect.stringMatching(/^Code: \d+\. DB::Exception: \S/) },
  ]);
  const health = await (await fetch(`${damaged.url}/health`)).json();
  expect(health).toMatchObject({ status: 'degraded' });
  expect(damaged.output()).toContain('a damaged part is left out of every response');
  await expectConsoleToShow(damaged, part);
  await damaged.stop();

  const found = await runOpenray(['repair', '--data-dir', dataDir]);
  expect(found).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining(`documents ${part}, documents that arrived`),
  });
  expect(await runOpenray(['repair', '--detach', '--data-dir', dataDir])).toMatchObject({ exitCode: 0 });
  expect(await runOpenray(['repair', '--data-dir', dataDir])).toMatchObject({
    exitCode: 0,
    stdout: 'no damaged parts\n',
  });

  const repaired = await start();
  expect(await list(repaired)).toEqual({ ids: [kept], incomplete: null, isPruned: true });
  expect(await (await fetch(`${repaired.url}/health`)).json()).toMatchObject({ status: 'ok' });
});
