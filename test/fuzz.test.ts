import { createSocket } from 'node:dgram';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { residentBytesOf } from '../bench/load/process-usage.ts';
import { printFilter } from '../server/src/filter/print.ts';
import { arbitraryFilter } from '../server/src/filter/testing/arbitrary-filter.ts';
import { arbitraryTrace, plainDelivery } from '../server/src/model/testing/arbitrary-trace.ts';
import { aroundNow, segment } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';

/**
 * Hostile input through the sockets of a server: the server answers each input with the reason for a rejection, keeps
 * running, and its memory stays bounded. FUZZ_INPUTS is the number of documents and of expressions, FUZZ_SEED the seed.
 */
const INPUTS = Number(process.env.FUZZ_INPUTS ?? 1_500);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const PATIENCE_MS = 180_000 + INPUTS * 40;
const A_CALL = 50;
/** Most memory that the server may add after its warm-up. */
const MAX_GROWTH_BYTES = 500 * 1024 * 1024;

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});

afterAll(async () => {
  await server.stop();
  await removeFolder(server.dataDir);
});

const document = arbitraryTrace().chain((trace) => fc.constantFrom(...plainDelivery(trace)));

/** Values of every kind, to replace members of a document. */
const hostileValue = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(1e308, -1, 2 ** 53, 1e-320, '', '\u0000', '\ud800', '{', 'a'.repeat(70_000), null, true),
  fc.bigInt({ min: 0n, max: 2n ** 70n }).map(Number),
  fc.integer({ min: 1, max: 3_000 }).map((depth) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)),
);

const MEMBERS =
  'id trace_id parent_id name start_time end_time in_progress type subsegments annotations metadata http aws cause namespace links sql user origin resource_arn fault'.split(
    ' ',
  );

/** A valid document with some members replaced, truncated, or with a character changed. */
const hostileDocument = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(document, fc.dictionary(fc.constantFrom(...MEMBERS), hostileValue, { minKeys: 1, maxKeys: 3 }))
      .map(([text, members]) => JSON.stringify({ ...JSON.parse(text), ...members })),
  },
  { weight: 2, arbitrary: changedText(document) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  { weight: 1, arbitrary: hostileValue.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: document },
);

const hostileExpression = fc.oneof(
  { weight: 3, arbitrary: changedText(arbitraryFilter.map(printFilter)) },
  { weight: 1, arbitrary: arbitraryFilter.map(printFilter) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('(', '!', 'NOT ', 'service { ', 'annotation["', 'fault AND ')
      .chain((piece) => fc.integer({ min: 1, max: 4_000 }).map((times) => piece.repeat(times).slice(0, 11_000))),
  },
);

function changedText(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(texts, fc.double({ min: 0, max: 1, noNaN: true }), fc.string({ maxLength: 3 }), fc.nat(4))
    .map(([text, share, inserted, removed]) => {
      const at = Math.floor(share * text.length);
      return removed === 4 ? text.slice(0, at) : text.slice(0, at) + inserted + text.slice(at + removed);
    });
}

test(
  'each expression is answered, or refused with a reason and a position',
  async () => {
    // Only some of the documents, because an expression may read every trace.
    await eachBatch(hostileDocument, Math.min(INPUTS, 1_500), async (texts) => {
      await post('/TraceSegments', { TraceSegmentDocuments: texts });
    });
    const window = { StartTime: 1_716_559_000, EndTime: 1_716_559_900 };
    await eachBatch(hostileExpression, INPUTS, async (expressions) => {
      const answers = expressions.map((text) => post('/TraceSummaries', { ...window, FilterExpression: text }));
      for (const [index, { status, body }] of (await Promise.all(answers)).entries()) {
        if (status === 200) continue;
        expect(status, expressions[index]).toBe(400);
        expect(body).toMatchObject({ __type: 'InvalidRequestException' });
        expect(body.Message, expressions[index]).toMatch(/^Invalid filter expression: .+ at position \d+$/s);
      }
    });
  },
  PATIENCE_MS,
);

test(
  'each document is stored, or rejected with a reason',
  async () => {
    const seen = { stored: 0, rejected: 0 };
    await eachBatch(hostileDocument, INPUTS, async (texts) => {
      const { status, body } = await post('/TraceSegments', { TraceSegmentDocuments: texts });
      expect(status).toBe(200);
      const rejected = body.UnprocessedTraceSegments as readonly { ErrorCode: string; Message: string }[];
      for (const { ErrorCode, Message } of rejected) expect(`${ErrorCode}: ${Message}`).toMatch(/^\w+: Invalid \w+\./);
      seen.rejected += rejected.length;
      seen.stored += texts.length - rejected.length;
    });
    expect(seen.stored).toBeGreaterThan(INPUTS / 20);
    expect(seen.rejected).toBeGreaterThan(INPUTS / 20);
  },
  PATIENCE_MS,
);

test(
  'queries over the stored documents succeed',
  async () => {
    const everything = { StartTime: 0, EndTime: Date.now() / 1000 + 60 };
    for (const path of ['/TraceSummaries', '/ServiceGraph', '/TimeSeriesServiceStatistics']) {
      const window = path === '/TimeSeriesServiceStatistics' ? aroundNow() : everything;
      expect(await post(path, window), path).toMatchObject({ status: 200 });
    }
  },
  PATIENCE_MS,
);

test(
  'bodies and datagrams of any bytes cause no server error',
  async () => {
    const paths = [
      '/TraceSegments',
      '/TraceSummaries',
      '/Traces',
      '/ServiceGraph',
      '/TraceGraph',
      '/GetSamplingRules',
      '/SamplingTargets',
      '/TelemetryRecords',
      '/v1/traces',
      '/nowhere',
    ];
    const socket = createSocket('udp4');
    const [host = '', port = ''] = server.daemonAddress.split(':');
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 500 }),
      hostileValue.map((value) => Buffer.from(JSON.stringify(value) ?? '')),
    );
    const input = fc.tuple(fc.constantFrom(...paths), bytes);
    await eachBatch(input, Math.ceil(INPUTS / 10), async (inputs) => {
      for (const [path, body] of inputs) {
        socket.send(body.length > 60_000 ? body.subarray(0, 60_000) : body, Number(port), host);
        const { status } = await fetch(`${server.url}${path}`, { method: 'POST', body });
        expect(status, `${path} ${Buffer.from(body).toString('latin1').slice(0, 200)}`).toBeLessThan(500);
      }
    });
    socket.close();
  },
  PATIENCE_MS,
);

test('afterwards the server stores and finds a trace, and its log has no error', async () => {
  const probe = segment({ name: 'after-the-storm' });
  expect(await post('/TraceSegments', { TraceSegmentDocuments: [JSON.stringify(probe)] })).toMatchObject({
    status: 200,
  });
  expect(await post('/Traces', { TraceIds: [probe.trace_id] })).toMatchObject({
    body: { Traces: [{ Id: probe.trace_id }] },
  });
  expect(server.output()).not.toMatch(/"level":(50|60)/);
});

/** Runs `work` on batches of generated inputs; the server's memory may not grow with their number. */
async function eachBatch<T>(inputs: fc.Arbitrary<T>, count: number, work: (batch: readonly T[]) => Promise<void>) {
  const pid = server.process.pid as number;
  const warmAt = Math.ceil(count / A_CALL / 5);
  let warmBytes = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch * A_CALL < count; batch++) {
    await work(fc.sample(inputs, { numRuns: A_CALL, seed: SEED * 1_000_003 + batch }));
    if (batch === warmAt) warmBytes = residentBytesOf(pid);
  }
  expect(residentBytesOf(pid) - warmBytes).toBeLessThan(MAX_GROWTH_BYTES);
}

async function post(path: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
