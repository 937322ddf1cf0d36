import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BatchGetTracesCommand } from '@aws-sdk/client-xray';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { OTLP_PROTOCOLS } from '../../server/src/forward/otlp-endpoint.ts';
import { readLogs, readTraces } from '../../server/src/ingest/otlp-json.ts';
import { resourceSpansOf } from '../../server/src/model/otlp/wire/resource-spans.ts';
import type { KeyValue, Span, SpanWithResource, TracesData } from '../../server/src/model/otlp-messages.ts';
import { arbitrarySpan } from '../../server/src/model/testing/arbitrary-span.ts';
import { encode, messageType } from '../../server/src/model/testing/otlp-protocol.ts';
import { entityId, traceId } from '../support/documents.ts';
import {
  removeFolder,
  serverForThisTest,
  startTestServer,
  type TestServer,
  temporaryFolder,
} from '../support/server.ts';
import { waitFor } from '../support/wait.ts';
import { collectorProgram, startPeer } from './programs.ts';

const program = collectorProgram();
if ('missing' in program) process.stderr.write(`The collector is not tested: ${program.missing}\n`);
const path = 'path' in program ? program.path : '';

type Collector = { readonly grpcUrl: string; readonly httpUrl: string; output(): string };

/** A collector whose pipelines end in these exporters. */
async function startCollector(folder: string, exporters: Readonly<Record<string, object>>): Promise<Collector> {
  const [grpc, http] = [await freePort(), await freePort()];
  const pipeline = { receivers: ['otlp'], exporters: Object.keys(exporters) };
  const config = {
    receivers: {
      otlp: {
        protocols: { grpc: { endpoint: `127.0.0.1:${grpc}` }, http: { endpoint: `127.0.0.1:${http}` } },
      },
    },
    exporters,
    service: { telemetry: { metrics: { level: 'none' } }, pipelines: { traces: pipeline, logs: pipeline } },
  };
  const file = join(folder, 'collector.json');
  await writeFile(file, JSON.stringify(config));
  const { output } = await startPeer(path, ['--config', file], { isReady: /Everything is ready/ });
  return { grpcUrl: `http://127.0.0.1:${grpc}`, httpUrl: `http://127.0.0.1:${http}`, output };
}

async function folderForThisTest(): Promise<string> {
  const folder = await temporaryFolder();
  onTestFinished(() => removeFolder(folder));
  return folder;
}

/** Spans with every field that the collector's version of the protocol has, each in a trace of its own. */
function spansOfEveryKind(count: number): readonly SpanWithResource[] {
  return fc.sample(arbitrarySpan, { numRuns: count, seed: 7 }).map((entry) => {
    const { entityRefs, ...resource } = entry.resource;
    const links = entry.span.links?.filter((link) => link.traceId !== undefined && link.spanId !== undefined);
    return { ...entry, resource, span: { ...entry.span, links: links?.length ? links : undefined } };
  });
}

const spansIn = ({ resourceSpans = [] }: TracesData): ReadonlyMap<string, unknown> =>
  new Map(
    resourceSpans.flatMap(({ resource, schemaUrl, scopeSpans = [] }) =>
      scopeSpans.flatMap(({ scope, schemaUrl: scopeSchemaUrl, spans = [] }) =>
        spans.map((span) => [span.spanId, comparable({ resource, schemaUrl, scope, scopeSchemaUrl, span })]),
      ),
    ),
  );

/** Removes empty messages, which mean the same as absent ones. */
function comparable(value: unknown): unknown {
  const plain = JSON.parse(JSON.stringify(value));
  for (const member of ['resource', 'scope']) if (Object.keys(plain[member] ?? {}).length === 0) delete plain[member];
  return plain;
}

async function traceOf({ url }: Pick<TestServer, 'url'>, id: string): Promise<TracesData | undefined> {
  const answer = await fetch(`${url}/v1/traces/${id}`);
  return answer.ok ? readTraces(await answer.text()) : undefined;
}

async function sendTraces(url: string, data: TracesData): Promise<void> {
  const answer = await fetch(`${url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: new Uint8Array(encode('TracesData', data)),
  });
  const response = messageType('ExportResponse')
    .decode(new Uint8Array(await answer.arrayBuffer()))
    .toJSON();
  expect([answer.status, response.partialSuccess ?? {}]).toEqual([200, {}]);
}

const anException = (id: { readonly traceId: string; readonly spanId: string }) => {
  const attributes: readonly KeyValue[] = [{ key: 'exception.type', value: { stringValue: 'Late' } }];
  return { ...id, timeUnixNano: `${Date.now()}000000`, attributes };
};

describe.skipIf('missing' in program)('a collector in front of openray', () => {
  const exporters = {
    'otlp over gRPC': ({ otlpGrpcUrl }: TestServer) => ({
      otlp: { endpoint: otlpGrpcUrl, tls: { insecure: true }, sending_queue: { enabled: false } },
    }),
    'otlphttp as protobuf': ({ otlpHttpUrl }: TestServer) => ({
      otlphttp: { endpoint: otlpHttpUrl, sending_queue: { enabled: false } },
    }),
    'otlphttp as JSON, to the one port': ({ url }: TestServer) => ({
      otlphttp: { endpoint: url, encoding: 'json', sending_queue: { enabled: false } },
    }),
  } as const;

  test.each(Object.entries(exporters))('%s: spans are stored with all fields', async (_name, exporter) => {
    const server = await serverForThisTest();
    const { httpUrl } = await startCollector(await folderForThisTest(), exporter(server));
    const entries = spansOfEveryKind(150);
    const data = { resourceSpans: resourceSpansOf(entries) };
    await sendTraces(httpUrl, data);
    const sent = spansIn(readTraces(JSON.stringify(data)));
    for (const { span } of entries) {
      const stored = await traceOf(server, span.traceId);
      expect(stored && spansIn(stored).get(span.spanId), span.spanId).toEqual(sent.get(span.spanId));
    }
  });

  test("rejected spans of a batch are in the collector's log, and the others are stored", async () => {
    const server = await serverForThisTest();
    const { httpUrl, output } = await startCollector(await folderForThisTest(), exporters['otlp over gRPC'](server));
    const [good] = spansOfEveryKind(1) as [SpanWithResource];
    const bad = { ...good.span, traceId: '0'.repeat(32) };
    const spans: readonly Span[] = [good.span, bad];
    await sendTraces(httpUrl, { resourceSpans: [{ resource: {}, scopeSpans: [{ spans }] }] });
    expect(await traceOf(server, good.span.traceId)).toBeDefined();
    await waitFor('the log of the collector', () => (/not 16 bytes with a bit set/.test(output()) ? true : undefined));
  });

  test('an exception in a log record is added to its span; other log records are reported', async () => {
    const server = await serverForThisTest();
    const { httpUrl, output } = await startCollector(
      await folderForThisTest(),
      exporters['otlphttp as protobuf'](server),
    );
    const ids = { traceId: traceId().replace(/^1|-/g, ''), spanId: entityId() };
    const now = `${Date.now()}000000`;
    const span = { ...ids, name: 'work', kind: 2, startTimeUnixNano: now, endTimeUnixNano: now };
    await sendTraces(httpUrl, { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
    const logRecords = [anException(ids), { ...ids, body: { stringValue: 'hello' } }];
    const answer = await fetch(`${httpUrl}/v1/logs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }),
    });
    expect(answer.status).toBe(200);
    const id = `1-${ids.traceId.slice(0, 8)}-${ids.traceId.slice(8)}`;
    const { Traces } = await server.xray.send(new BatchGetTracesCommand({ TraceIds: [id] }));
    const [document] = Traces?.[0]?.Segments ?? [];
    expect(JSON.parse(document?.Document ?? '')).toMatchObject({ cause: { exceptions: [{ type: 'Late' }] } });
    await waitFor('the log of the collector', () => (/openray stores traces only/.test(output()) ? true : undefined));
  });

  test('it repeats requests that openray did not accept while it was down', async () => {
    const server = await startTestServer();
    onTestFinished(() => removeFolder(server.dataDir));
    const ports = ['--port', '0', '--otlp-grpc-port', new URL(server.otlpGrpcUrl ?? '').port];
    const retry_on_failure = { enabled: true, initial_interval: '100ms', max_interval: '500ms' };
    const otlp = { endpoint: server.otlpGrpcUrl, tls: { insecure: true }, retry_on_failure };
    const { httpUrl } = await startCollector(await folderForThisTest(), { otlp });
    await server.kill();
    const entries = spansOfEveryKind(20);
    for (const entry of entries) await sendTraces(httpUrl, { resourceSpans: resourceSpansOf([entry]) });
    const again = await startTestServer(ports, server.dataDir);
    onTestFinished(() => again.stop());
    for (const { span } of entries) {
      await waitFor(`span ${span.spanId}`, () => traceOf(again, span.traceId));
    }
  });
});

describe.skipIf('missing' in program)('openray in front of a collector', () => {
  test.each(OTLP_PROTOCOLS)(
    'spans forwarded over %s are written with all fields, and exceptions of logs, too',
    async (protocol) => {
      const folder = await folderForThisTest();
      const file = join(folder, 'spans.jsonl');
      const { grpcUrl, httpUrl } = await startCollector(folder, { file: { path: file, flush_interval: '100ms' } });
      const target = protocol === 'grpc' ? grpcUrl : httpUrl;
      const server = await serverForThisTest(['--forward-otlp', target, '--forward-otlp-protocol', protocol]);
      const entries = spansOfEveryKind(150);
      await sendTraces(server.url, { resourceSpans: resourceSpansOf(entries) });
      const [first] = entries as [SpanWithResource];
      const record = anException({ traceId: first.span.traceId, spanId: first.span.spanId });
      await fetch(`${server.url}/v1/logs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] }),
      });
      const lines = await waitFor('all forwarded spans', async () => {
        const written = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean);
        const found = written.map((line) => readTraces(line)).flatMap((data) => [...spansIn(data)]);
        return found.length >= entries.length && written.some((line) => line.includes('Late')) ? written : undefined;
      });
      const received = new Map(lines.flatMap((line) => [...spansIn(readTraces(line))]));
      expect(received).toEqual(spansIn(readTraces(JSON.stringify({ resourceSpans: resourceSpansOf(entries) }))));
      const logs = lines.flatMap((line) => readLogs(line).resourceLogs ?? []);
      expect(logs.flatMap(({ scopeLogs = [] }) => scopeLogs.flatMap(({ logRecords = [] }) => logRecords))).toEqual([
        expect.objectContaining(record),
      ]);
    },
  );
});
