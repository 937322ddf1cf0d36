import { expect, onTestFinished, test } from 'vitest';
import { startOpenray } from '../scripts/openray.ts';
import { segment } from './support/documents.ts';
import { removeFolder, temporaryFolder } from './support/server.ts';
import { eventually } from './support/wait.ts';

/** A server whose JavaScript sees a clock that is this many days ahead. */
async function startAhead(days: number, dataDir: string, flags: readonly string[] = []) {
  const shift = `const now = Date.now; Date.now = () => now() + ${days} * 86400000;`;
  const server = await startOpenray(
    [
      ...['--port', '0', '--otlp-http-port', '0', '--otlp-grpc-port', '0', '--retention-days', '30'],
      ...['--data-dir', dataDir, '--log-level', 'info', ...flags],
    ],
    { env: { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(shift)}` } },
  );
  onTestFinished(() => server.stop());
  return server;
}

type Server = Awaited<ReturnType<typeof startAhead>>;

async function post<Answer>(server: Server, path: string, body: object): Promise<Answer> {
  const answer = await fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Answer;
}

const put = (server: Server, name: string) =>
  post(server, '/TraceSegments', { TraceSegmentDocuments: [JSON.stringify(segment({ name }))] });

const window = () => ({ StartTime: Date.now() / 1000 - 3_600, EndTime: Date.now() / 1000 + 60 });

async function namesOf(server: Server): Promise<readonly string[]> {
  type Answer = { TraceSummaries: readonly { ServiceIds: readonly { Name: string }[] }[] };
  const { TraceSummaries } = await post<Answer>(server, '/TraceSummaries', window());
  return [...new Set(TraceSummaries.flatMap(({ ServiceIds }) => ServiceIds.map(({ Name }) => Name)))].sort();
}

test('a start with the clock 400 days ahead deletes nothing, and its traces are kept like those before and after', async () => {
  const dataDir = await temporaryFolder();
  onTestFinished(() => removeFolder(dataDir));
  const before = await startAhead(0, dataDir);
  await put(before, 'before');
  await before.stop();

  const ahead = await startAhead(400, dataDir);
  await eventually(() => expect(ahead.output()).toContain('the clock moved by more than a day'));
  await put(ahead, 'ahead');
  expect(await namesOf(ahead)).toEqual(['ahead', 'before']);
  // A stop waits for the run of retention that began with the start.
  await ahead.stop();
  expect(ahead.output()).not.toContain('old documents dropped');

  const mended = await startAhead(0, dataDir);
  await put(mended, 'after');
  expect(await namesOf(mended)).toEqual(['after', 'ahead', 'before']);
  expect(mended.output()).not.toContain('the clock moved');
  await mended.stop();

  // The number of arrival of each document says today: a later jump that an operator confirms makes all of them old.
  const confirmed = await startAhead(400, dataDir, ['--retention-trust-clock', 'true']);
  await eventually(async () => expect(await namesOf(confirmed)).toEqual([]));
});
