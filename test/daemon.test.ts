import { createSocket } from 'node:dgram';
import { BatchGetTracesCommand, GetTraceSummariesCommand } from '@aws-sdk/client-xray';
import xray from 'aws-xray-sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aroundNow, entityId, segment, traceId } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';
import { eventually, waitFor } from './support/wait.ts';

const HEADER = '{"format":"json","version":1}\n';

let server: TestServer;
const socket = createSocket('udp4');

beforeAll(async () => {
  server = await startTestServer(['--log-level', 'debug', '--document-max-bytes', '60000']);
});

afterAll(async () => {
  socket.close();
  await server.stop();
  await removeFolder(server.dataDir);
});

function send(payload: string | Buffer): Promise<void> {
  const port = Number(server.daemonAddress.split(':')[1]);
  return new Promise((resolve, reject) => {
    socket.send(payload, port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
  });
}

async function documentsOf(id: string): Promise<readonly Record<string, unknown>[] | undefined> {
  const { Traces } = await server.xray.send(new BatchGetTracesCommand({ TraceIds: [id] }));
  const segments = Traces?.[0]?.Segments ?? [];
  return segments.length === 0 ? undefined : segments.map(({ Document }) => JSON.parse(Document ?? ''));
}

async function metric(line: RegExp): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(line.exec(text)?.[1] ?? 0);
}

test('a datagram becomes a trace', async () => {
  const document = segment({ name: 'over-udp', annotations: { receiver: 'udp' } });
  await send(HEADER + JSON.stringify(document));
  const [stored] = await waitFor('the segment', () => documentsOf(document.trace_id));
  expect(stored).toMatchObject({ id: document.id, name: 'over-udp', annotations: { receiver: 'udp' } });
});

test('subsegments that are received before their segment are joined to it', async () => {
  const parent = segment({ name: 'late-parent' });
  const { trace_id, start_time, end_time } = parent;
  const child = {
    type: 'subsegment',
    id: entityId(),
    name: 'early',
    trace_id,
    parent_id: parent.id,
    start_time,
    end_time,
  };
  await send(HEADER + JSON.stringify(child));
  await send(HEADER + JSON.stringify(parent));
  const stored = await waitFor('both parts', async () => {
    const documents = await documentsOf(trace_id);
    return documents?.find((document) => 'subsegments' in document);
  });
  expect(stored.subsegments).toEqual([expect.objectContaining({ id: child.id, name: 'early' })]);
});

test('a segment in progress is visible at once, and the completed one replaces it', async () => {
  const { end_time, ...started } = segment({ name: 'in-progress' });
  await send(HEADER + JSON.stringify({ ...started, in_progress: true }));
  expect(await waitFor('the start', () => documentsOf(started.trace_id))).toEqual([
    expect.objectContaining({ in_progress: true }),
  ]);
  await send(HEADER + JSON.stringify({ ...started, end_time }));
  const [stored] = await waitFor('the end', async () => {
    const documents = await documentsOf(started.trace_id);
    return documents?.[0]?.in_progress === undefined ? documents : undefined;
  });
  expect(stored).toMatchObject({ end_time });
});

test('malformed, oversized and empty datagrams are counted and logged, and the next one is stored', async () => {
  await send('no header at all');
  await send('{"format":"xml","version":1}\n{}');
  await send(HEADER);
  await send(`${HEADER}{"name":`);
  await send(`${HEADER}${JSON.stringify({ ...segment(), trace_id: '1-00000000-000000000000000000000000' })}`);
  await send(`${HEADER}${JSON.stringify(segment({ metadata: { default: { text: 'x'.repeat(60_000) } } }))}`);
  await send(Buffer.from(Array.from({ length: 500 }, (_, index) => index % 256)));
  const document = segment({ name: 'still-there' });
  await send(HEADER + JSON.stringify(document));
  await waitFor('the valid one', () => documentsOf(document.trace_id));
  await eventually(async () => {
    expect(await metric(/openray_datagrams_dropped_total\{reason="bad-header"\} (\d+)/)).toBeGreaterThanOrEqual(2);
    expect(await metric(/openray_datagrams_dropped_total\{reason="no-header"\} (\d+)/)).toBeGreaterThanOrEqual(1);
    expect(await metric(/openray_datagrams_dropped_total\{reason="empty"\} (\d+)/)).toBe(1);
    expect(await metric(/openray_documents_rejected_total\{code="ParseError"\} (\d+)/)).toBe(1);
    expect(await metric(/openray_documents_rejected_total\{code="InvalidTraceId"\} (\d+)/)).toBe(1);
    expect(await metric(/openray_documents_rejected_total\{code="DocumentTooLarge"\} (\d+)/)).toBe(1);
    expect(server.output()).toContain('"msg":"datagram dropped"');
    expect(server.output()).toContain('"code":"ParseError"');
  });
});

test('counters of the UDP receiver add up', async () => {
  await eventually(async () => {
    const received = await metric(/openray_documents_received_total\{receiver="udp"\} (\d+)/);
    const results = await Promise.all(
      ['stored', 'rejected', 'dropped'].map((result) =>
        metric(new RegExp(`openray_documents_total\\{receiver="udp",result="${result}"\\} (\\d+)`)),
      ),
    );
    const [stored, rejected, dropped] = results as [number, number, number];
    const queued = await metric(/openray_documents_queued\{receiver="udp"\} (\d+)/);
    expect(received).toBeGreaterThan(0);
    expect(received).toBe(stored + queued + rejected + dropped);
  });
});

test('segments of the X-Ray SDK are stored with all recorded data', async () => {
  xray.setDaemonAddress(server.daemonAddress);
  const root = traceId();
  const recorded = new xray.Segment('sdk-service', root);
  recorded.addAnnotation('user_id', 'brian1');
  recorded.addMetadata('cart', { items: 3 });
  const child = recorded.addNewSubsegment('work');
  child.addError(new Error('did not work'));
  child.close();
  recorded.close();
  const [stored] = await waitFor('the segment of the SDK', () => documentsOf(root));
  expect(stored).toMatchObject({
    name: 'sdk-service',
    annotations: { user_id: 'brian1' },
    metadata: { default: { cart: { items: 3 } } },
    subsegments: [{ name: 'work', cause: { exceptions: [{ message: 'did not work' }] } }],
  });
  const { TraceSummaries } = await server.xray.send(
    new GetTraceSummariesCommand({ ...aroundNow(), FilterExpression: 'annotation.user_id = "brian1"' }),
  );
  expect(TraceSummaries?.map(({ Id }) => Id)).toEqual([root]);
});
