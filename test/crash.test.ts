import { BatchGetTracesCommand, PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import { expect, test } from 'vitest';
import { segment } from './support/documents.ts';
import { removeFolder, startTestServer } from './support/server.ts';
import { waitFor } from './support/wait.ts';

const WRITERS = 4;
const PER_CALL = 10;

/**
 * Writers send documents as fast as they are acknowledged, and the server is killed meanwhile. Each acknowledged
 * document must be stored once.
 */
test('SIGKILL under load neither loses nor duplicates an acknowledged document', async () => {
  let server = await startTestServer();
  const acknowledged: { traceId: string; id: string }[] = [];
  try {
    for (let round = 1; round <= 3; round += 1) {
      let isDown = false;
      const { xray } = server;
      const write = async () => {
        while (!isDown) {
          const documents = Array.from({ length: PER_CALL }, (_, index) =>
            segment({ name: `round-${round}-${index}` }),
          );
          const command = new PutTraceSegmentsCommand({
            TraceSegmentDocuments: documents.map((one) => JSON.stringify(one)),
          });
          const answer = await xray.send(command).catch(() => undefined);
          if (answer?.UnprocessedTraceSegments?.length !== 0) continue;
          acknowledged.push(...documents.map(({ trace_id, id }) => ({ traceId: trace_id, id })));
        }
      };
      const before = acknowledged.length;
      const writers = Array.from({ length: WRITERS }, write);
      await waitFor('two hundred acknowledged documents', () => acknowledged.length >= before + 200 || undefined);
      const killed = server.kill();
      await killed;
      isDown = true;
      await Promise.all(writers);
      server = await startTestServer([], server.dataDir);
    }
    for (let first = 0; first < acknowledged.length; first += 5) {
      const batch = acknowledged.slice(first, first + 5);
      const command = new BatchGetTracesCommand({ TraceIds: batch.map(({ traceId }) => traceId) });
      const { Traces = [] } = await server.xray.send(command);
      const ids = Traces.flatMap(({ Segments = [] }) => Segments.map(({ Id }) => Id)).sort();
      expect(ids).toEqual(batch.map(({ id }) => id).sort());
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(600);
  } finally {
    await server.stop();
    await removeFolder(server.dataDir);
  }
});

test('a document that was acknowledged right before SIGKILL is there after the start', async () => {
  let server = await startTestServer();
  try {
    for (let round = 1; round <= 3; round += 1) {
      const document = segment({ name: `round-${round}` });
      const command = new PutTraceSegmentsCommand({ TraceSegmentDocuments: [JSON.stringify(document)] });
      expect((await server.xray.send(command)).UnprocessedTraceSegments).toEqual([]);
      server = await server.crashAndRestart();
      const { Traces = [] } = await server.xray.send(new BatchGetTracesCommand({ TraceIds: [document.trace_id] }));
      expect(Traces.flatMap(({ Segments = [] }) => Segments.map(({ Id }) => Id))).toEqual([document.id]);
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      expect(metrics).toContain('\nopenray_store_replayed_documents_total 1\n');
    }
  } finally {
    await server.stop();
    await removeFolder(server.dataDir);
  }
});
