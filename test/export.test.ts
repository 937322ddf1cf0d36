import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { BatchGetTracesCommand, PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { runOpenray } from '../scripts/openray.ts';
import { entityId, segment } from './support/documents.ts';
import {
  removeFolder,
  serverForThisTest,
  startTestServer,
  type TestServer,
  temporaryFolder,
} from './support/server.ts';

const PROGRAM = new URL('../server/bin/openray.cjs', import.meta.url).pathname;

const hex = (bytes: number) => randomBytes(bytes).toString('hex');
const SPAN_COUNT = 6;
const SEGMENT_COUNT = 60;

let server: TestServer;
let folder: string;
const documents = Array.from({ length: SEGMENT_COUNT }, (_, index) => {
  const parent = segment({
    name: `service ${index % 3}`,
    annotations: { index },
    metadata: { bulk: { text: hex(12_000) } },
  });
  const { start_time, end_time } = parent;
  const call = {
    id: entityId(),
    name: 'DynamoDB',
    namespace: 'aws',
    start_time,
    end_time,
    aws: { operation: 'GetItem' },
  };
  return { ...parent, fault: index === 7, subsegments: [call] };
});

/** Every kind of value, times to the nanosecond, links, events and scopes: fields that X-Ray documents lack. */
function aTraceOfSpans(index: number) {
  const traceId = hex(16);
  const spanId = hex(8);
  const start = BigInt(Date.now() + index) * 1_000_000n + 1n;
  const attributes = [
    { key: 'double', value: { doubleValue: 1 } },
    { key: 'big', value: { intValue: '9007199254740993' } },
    { key: 'bytes', value: { bytesValue: 'AAEC' } },
    { key: 'list', value: { arrayValue: { values: [{ stringValue: 'a' }, {}] } } },
  ];
  const spans = ['first', 'second'].map((name, at) => ({
    traceId,
    spanId: at === 0 ? spanId : hex(8),
    name,
    kind: at + 2,
    traceState: 'a=b',
    flags: 0x101,
    startTimeUnixNano: String(start + BigInt(at)),
    endTimeUnixNano: String(start + 5_000_001n),
    attributes,
    events: [{ timeUnixNano: String(start + 3n), name: 'cache miss', attributes }],
    links: [{ traceId: hex(16), spanId: hex(8), traceState: 'c=d', attributes }],
    droppedLinksCount: 2,
    status: { code: 2, message: 'boom' },
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'otel' } }] };
  const scope = { name: 'lib', version: '1', attributes };
  return {
    traceId,
    spanId,
    data: { resourceSpans: [{ resource, schemaUrl: 'https://a', scopeSpans: [{ scope, spans }] }] },
  };
}

const tracesOfSpans = Array.from({ length: SPAN_COUNT }, (_, index) => aTraceOfSpans(index));

async function put({ xray }: TestServer, batch: readonly object[]): Promise<void> {
  const texts = batch.map((document) => JSON.stringify(document));
  await xray.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments: texts }));
}

async function postJson(url: string, body: object): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
}

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startTestServer();
  for (let at = 0; at < documents.length; at += 20) await put(server, documents.slice(at, at + 20));
  for (const { data } of tracesOfSpans) await postJson(`${server.url}/v1/traces`, data);
  const attributes = [{ key: 'exception.type', value: { stringValue: 'Late' } }];
  const { traceId, spanId } = tracesOfSpans[0] as ReturnType<typeof aTraceOfSpans>;
  // The time of the log record is years earlier; the trace keeps the time of its spans.
  const logRecords = [{ traceId, spanId, timeUnixNano: '1716560000000000001', attributes }];
  await postJson(`${server.url}/v1/logs`, { resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
});

afterAll(async () => {
  await server.stop();
  await removeFolder(server.dataDir);
  await removeFolder(folder);
});

const exportFrom = (from: TestServer, ...flags: readonly string[]) =>
  runOpenray(['export', '--endpoint-url', from.url, ...flags]);

type Line = { readonly resourceSpans: readonly object[]; readonly resourceLogs?: readonly object[] };

/** Lines without their cursors. */
async function linesOf(from: TestServer, ...flags: readonly string[]): Promise<readonly Line[]> {
  const { exitCode, stdout, stderr } = await exportFrom(from, '--file', '-', ...flags);
  expect(exitCode, stderr).toBe(0);
  return readLines(stdout);
}

function readLines(text: string): readonly Line[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const { cursor, ...messages } = JSON.parse(line);
      expect(cursor).toEqual(expect.any(String));
      return messages;
    });
}

async function documentsOf({ xray }: TestServer, id: string): Promise<readonly unknown[]> {
  const { Traces } = await xray.send(new BatchGetTracesCommand({ TraceIds: [id] }));
  return (Traces?.[0]?.Segments ?? []).map(({ Document }) => JSON.parse(Document ?? ''));
}

test('an exported file has all fields of the spans as sent', async () => {
  const lines = await linesOf(server, '--filter', 'service("otel")');
  const sent = tracesOfSpans.map(({ data }) => data).reverse();
  expect(lines.map(({ resourceSpans }) => ({ resourceSpans }))).toEqual(sent);
  expect(lines.at(-1)).toMatchObject({ resourceLogs: [{ scopeLogs: [{ logRecords: [{}] }] }] });
});

test('importing a file once or twice gives the same traces', async () => {
  const file = join(folder, 'all.jsonl');
  const { exitCode, stderr } = await exportFrom(server, '--file', file);
  expect([exitCode, stderr]).toEqual([0, `${SPAN_COUNT + SEGMENT_COUNT} traces exported\n`]);
  const second = await serverForThisTest();
  for (const _time of ['once', 'twice']) {
    const result = await runOpenray(['import', file, '--endpoint-url', second.url]);
    expect([result.exitCode, result.stderr]).toEqual([0, `${SPAN_COUNT + SEGMENT_COUNT} lines imported\n`]);
    expect(await linesOf(second)).toEqual(await linesOf(server));
  }
  for (const { trace_id } of documents.slice(0, 5)) {
    expect(await documentsOf(second, trace_id)).toEqual(await documentsOf(server, trace_id));
  }
});

test('another backend receives all traces over OTLP, with the headers', async () => {
  const second = await serverForThisTest();
  const { exitCode, stderr } = await exportFrom(server, '--otlp', second.url, '--header', 'x-key=a=b');
  expect([exitCode, stderr]).toEqual([0, `${SPAN_COUNT + SEGMENT_COUNT} traces exported\n`]);
  expect(await linesOf(second)).toEqual(await linesOf(server));
});

test.each(['grpc', 'http/protobuf', 'http/json'])(
  'exports over %s with the environment variables of OpenTelemetry exporters',
  async (protocol) => {
    const second = await serverForThisTest();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: String(protocol === 'grpc' ? second.otlpGrpcUrl : second.otlpHttpUrl),
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    };
    const result = await runOpenray(['export', '--endpoint-url', server.url, '--otlp'], { env });
    expect([result.exitCode, result.stderr]).toEqual([0, `${SPAN_COUNT + SEGMENT_COUNT} traces exported\n`]);
    expect(await linesOf(second)).toEqual(await linesOf(server));
  },
);

test('a filter and a time range select traces, newest first', async () => {
  expect(await linesOf(server, '--filter', 'fault = true AND service("service 1")')).toHaveLength(1);
  expect(await linesOf(server, '--end', '2020-01-01T00:00:00Z')).toEqual([]);
  expect(await linesOf(server, '--start', String(Date.now() / 1000 + 60))).toEqual([]);
});

test('a truncated file is continued after its last complete line', async () => {
  const file = join(folder, 'cut.jsonl');
  expect((await exportFrom(server, '--file', file)).exitCode).toBe(0);
  const whole = await readFile(file, 'utf8');
  await truncate(file, Math.floor(whole.length / 2));
  const { exitCode } = await exportFrom(server, '--file', file, '--resume');
  expect(exitCode).toBe(0);
  expect(await readFile(file, 'utf8')).toBe(whole);
});

test('when a backend fails, the message has a cursor, and another run continues there', async () => {
  let requests = 0;
  const names: string[] = [];
  const backend = createServer(async (request, reply) => {
    await request.toArray();
    requests += 1;
    names.push(String(request.url));
    reply.writeHead(requests === 2 ? 400 : 200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void backend.close());
  const { port } = backend.address() as AddressInfo;
  const stopped = await exportFrom(server, '--otlp', `http://127.0.0.1:${port}/base`, '--filter', '!service("otel")');
  expect(stopped.exitCode).toBe(69);
  const [, token] = /did not accept the traces: 400 \{\}; continue with --after (\S+)$/m.exec(stopped.stderr) ?? [];
  const rest = await exportFrom(server, '--file', '-', '--filter', '!service("otel")', '--after', String(token));
  expect(rest.exitCode).toBe(0);
  const all = await linesOf(server, '--filter', '!service("otel")');
  const others = readLines(rest.stdout);
  expect(others.length).toBeGreaterThan(0);
  expect(others.length).toBeLessThan(all.length);
  expect(others).toEqual(all.slice(-others.length));
  expect(new Set(names)).toEqual(new Set(['/base/v1/traces']));
});

test('Ctrl-C stops a command that waits for its backend, and the message is short', async () => {
  let isAsked = () => {};
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  const busy = createServer((_request, reply) => {
    reply.writeHead(503, { 'retry-after': '100' }).end();
    isAsked();
  });
  await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void busy.close());
  const { port } = busy.address() as AddressInfo;
  const child = spawn(process.execPath, [
    PROGRAM,
    'export',
    '--otlp',
    `http://127.0.0.1:${port}`,
    '--endpoint-url',
    server.url,
  ]);
  const stderr = text(child.stderr);
  await asked;
  child.kill('SIGINT');
  const [exitCode] = await once(child, 'exit');
  expect([exitCode, await stderr]).toEqual([130, 'openray: stopped\n']);
});

test('X-Ray documents are imported from lines of every form, without inferred segments', async () => {
  const second = await serverForThisTest();
  const [one, two, three] = documents.slice(0, 3).map((document) => JSON.stringify(document)) as [
    string,
    string,
    string,
  ];
  const inferred = JSON.stringify({ ...segment({ name: 'guess' }), inferred: true });
  const answer = JSON.stringify({
    Traces: [{ Id: 'x', Segments: [{ Id: 'y', Document: three }, { Document: inferred }] }],
  });
  const result = await runOpenray(['import', '-', '--endpoint-url', second.url], {
    stdin: [one, `[${two}]`, '', answer].join('\n'),
  });
  expect([result.exitCode, result.stderr]).toEqual([0, '3 lines imported\n']);
  for (const { trace_id } of documents.slice(0, 3)) {
    expect(await documentsOf(second, trace_id)).toEqual(await documentsOf(server, trace_id));
  }
});

test('rejected documents are reported, and the others are stored', async () => {
  const second = await serverForThisTest();
  const { end_time, ...unfinished } = segment();
  const good = segment();
  const stdin = [JSON.stringify(unfinished), JSON.stringify(good)].join('\n');
  const result = await runOpenray(['import', '-', '--endpoint-url', second.url], { stdin });
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toBe(`2 lines imported, 1 documents rejected: ${unfinished.id}: MissingEndTime\n`);
  expect(await documentsOf(second, good.trace_id)).toHaveLength(1);
});

test('without a running server the command opens the data directory', async () => {
  const first = await startTestServer();
  onTestFinished(() => removeFolder(first.dataDir));
  const only = segment({ name: 'alone' });
  await put(first, [only]);
  await first.stop();
  const { exitCode, stdout } = await runOpenray(['export', '--file', '-', '--data-dir', first.dataDir, '--port', '0']);
  expect(exitCode).toBe(0);
  expect(readLines(stdout)).toHaveLength(1);
});

test('an export or import that fails prints one sentence', async () => {
  const file = join(folder, 'there.jsonl');
  await writeFile(file, 'not an export\n');
  const attempts = [
    [['export'], 2, /name the destination: --otlp URL or --file FILE/],
    [['export', '--otlp', '--endpoint-url', server.url], 2, /--otlp URL, or set OTEL_EXPORTER_OTLP_ENDPOINT/],
    [['export', '--otlp', server.url, '--protocol', 'http'], 78, /protocol http is none of grpc, http\/protobuf/],
    [['export', '--otlp', 'nowhere', '--endpoint-url', server.url], 2, /--otlp nowhere is not an http or https URL/],
    [['export', '--file', '-', '--endpoint-url', 'http://127.0.0.1:9'], 69, /there is no server at/],
    [['export', '--file', file, '--endpoint-url', server.url], 2, /exists: continue it with --resume/],
    [['export', '--file', file, '--resume', '--endpoint-url', server.url], 65, /not written by an export/],
    [['export', '--file', '-', '--filter', 'service(', '--endpoint-url', server.url], 2, /openray: /],
    [['export', '--file', '-', '--start', 'soon', '--endpoint-url', server.url], 2, /not a time: "soon"/],
    [['import', join(folder, 'none'), '--endpoint-url', server.url], 2, /there is no file/],
    [['import', file, '--endpoint-url', server.url], 65, /there\.jsonl, line 1: it is not JSON/],
  ] as const;
  for (const [args, exitCode, sentence] of attempts) {
    const result = await runOpenray(args);
    expect([result.exitCode, result.stderr]).toEqual([exitCode, expect.stringMatching(sentence)]);
  }
});
