import { expect, onTestFinished, test } from 'vitest';
import { runOpenray } from '../scripts/openray.ts';
import { parseDocument } from '../server/src/model/parse-document.ts';
import { openTestStore } from '../server/src/store/testing/open-test-store.ts';
import { segment } from './support/documents.ts';
import { removeFolder, startTestServer, temporaryFolder } from './support/server.ts';
import { eventually } from './support/wait.ts';

const DAY_MS = 86_400_000;

test('retention rules are applied, and responses have the time before which documents were dropped', async () => {
  const dataDir = await temporaryFolder();
  onTestFinished(() => removeFolder(dataDir));
  const before = await openTestStore(dataDir);
  const arrivedUs = (Date.now() - 3 * DAY_MS) * 1000;
  const times = { start_time: arrivedUs / 1e6 - 1, end_time: arrivedUs / 1e6 };
  const documents = ['ping', 'ping', 'shop'].map((name, index) =>
    parseDocument(JSON.stringify(segment({ name, ...times })), arrivedUs + index),
  );
  await before.append(documents.flat().flatMap((outcome) => (outcome.ok ? [outcome.document] : [])));
  await before.close();

  const server = await startTestServer(['--retention-rules', '90d fault = true; 1d service("ping")'], dataDir);
  onTestFinished(() => server.stop());
  await eventually(async () => {
    const answer = await fetch(`${server.url}/TraceSummaries`, {
      method: 'POST',
      headers: { 'x-openray-extensions': '1' },
      body: JSON.stringify({ StartTime: times.start_time - 3600, EndTime: Date.now() / 1000 }),
    });
    const body = (await answer.json()) as { TraceSummaries: readonly { ServiceIds: readonly { Name: string }[] }[] };
    expect(body.TraceSummaries.map(({ ServiceIds }) => ServiceIds[0]?.Name)).toEqual(['shop']);
    expect(body).toMatchObject({ PrunedBefore: (Math.floor(arrivedUs / 1000 / DAY_MS) + 1) * (DAY_MS / 1000) });
  });
});

test('an invalid rule stops the start before the store is opened', async () => {
  const dataDir = await temporaryFolder();
  onTestFinished(() => removeFolder(dataDir));
  const { exitCode, stderr } = await runOpenray([
    'serve',
    ...['--port', '0', '--data-dir', dataDir, '--retention-rules', '7d servce("ping")'],
  ]);
  expect([exitCode, stderr]).toEqual([78, expect.stringContaining('retention rule')]);
});
