import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assembleTrace } from '../../model/assemble.ts';
import type { Document } from '../../model/entity.ts';
import { areSettled, type CountedDocument, leanDocument, type SettledDocument } from '../../model/lean-document.ts';
import { spanWriter } from '../../model/otlp/documents/stored-spans.ts';
import { type PlainTrace, plainTraceOf } from '../../model/plain-trace.ts';
import { arbitraryDelivery, arbitraryTrace } from '../../model/testing/arbitrary-trace.ts';
import { receivedTexts } from '../../model/testing/builders.ts';
import type { TraceId } from '../../model/trace-id.ts';
import type { MinuteGraphs } from './periods.ts';
import { newPlainSums } from './plain-sums.ts';
import { newSummaryChanges, type SummaryChanges } from './summary-changes.ts';
import { addToMinuteGraphs, contributionOf, NO_CONTRIBUTION } from './trace-contribution.ts';

const NO_STATE = { trace: undefined, contribution: NO_CONTRIBUTION };
const LAST_SEQ = 2_000_000_000_000_000;

/** The bytes of the rows that were added. */
async function bytesOf(summaries: SummaryChanges): Promise<string> {
  let bytes = '';
  const insert = async (block: { readonly bytes: Uint8Array }) => {
    bytes = Buffer.from(block.bytes).toString('latin1');
  };
  await summaries.insert({ insert } as never, 'rows', {});
  return bytes;
}

/** Adds up the plain traces both ways, without the first `rolledUp` documents of each, and returns their number. */
async function compare(traces: readonly (readonly Document[])[], rolledUp: number): Promise<number> {
  const sums = newPlainSums();
  const [minutes, expectedMinutes]: [MinuteGraphs, MinuteGraphs] = [new Map(), new Map()];
  const [summaries, expectedSummaries] = [newSummaryChanges(LAST_SEQ), newSummaryChanges(LAST_SEQ)];
  let plain = 0;
  for (const documents of traces) {
    const trace = plainTraceOf(settled(documents));
    const graph = trace && sums.add(trace);
    if (trace === undefined || graph === undefined) continue;
    plain++;
    summaries.addPlain(trace, graph, LAST_SEQ, [1, 2]);
    const assembled = assembleTrace(documents);
    const contribution = contributionOf(assembled, () => undefined);
    addToMinuteGraphs(expectedMinutes, contribution, 1);
    const part = documents.slice(0, rolledUp);
    if (part.length > 0) {
      sums.subtract(plainTraceOf(settled(part)) as PlainTrace);
      addToMinuteGraphs(
        expectedMinutes,
        contributionOf(assembleTrace(part), () => undefined),
        -1,
      );
    }
    const after = { trace: assembled, contribution };
    const id = documents[0]?.traceId as TraceId;
    expectedSummaries.add({ id, before: NO_STATE, after, documents, lastSeq: LAST_SEQ }, [1, 2]);
  }
  sums.addTo(minutes);
  expect(minutes).toEqual(expectedMinutes);
  expect(await bytesOf(summaries)).toBe(await bytesOf(expectedSummaries));
  return plain;
}

/** None for documents that are not settled. */
function settled(documents: readonly Document[]): readonly SettledDocument[] {
  const lean = documents.map(leanDocument).filter((document) => document.format !== 'otlp-log');
  const counted = lean as readonly CountedDocument[];
  return areSettled(counted) ? counted : [];
}

/** Some of them are sent once, and finished. */
const delivery = arbitraryTrace().chain(arbitraryDelivery);

test('plain traces of X-Ray are counted and summarised as any others', async () => {
  let plain = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(delivery, { minLength: 1, maxLength: 4 }), fc.nat(3), async (deliveries, rolledUp) => {
      plain += await compare(
        deliveries.map((texts) => receivedTexts(texts)),
        rolledUp,
      );
    }),
    { numRuns: 1000 },
  );
  expect(plain).toBeGreaterThan(20);
});

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const number = (key: string, intValue: string) => ({ key, value: { intValue } });
const IDS = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8'].map((id) => id.padStart(16, '0'));
const span = fc.record({
  service: fc.constantFrom('shop', 'stock', 'bank', 'mail'),
  spanId: fc.constantFrom(...IDS),
  parentSpanId: fc.constantFrom(...IDS.slice(0, 5), undefined),
  kind: fc.constantFrom(1, 2, 2, 3, 3, 4, 5),
  flags: fc.constantFrom(0x101, 0x301),
  start: fc.integer({ min: 0, max: 4 }),
  length: fc.constantFrom(0, 1, 2, 700, 65_000),
  attributes: fc.subarray([
    text('db.system.name', 'redis'),
    text('db.namespace', 'cart'),
    text('server.address', 'stock'),
    text('enduser.id', 'mia'),
    text('http.request.method', 'GET'),
    text('url.path', '/cart'),
    number('http.response.status_code', '503'),
    number('rpc.grpc.status_code', '8'),
    text('aws.service', 'S3'),
    text('rpc.system', 'aws-api'),
    text('rpc.method', 'S3/GetObject'),
    text('aws.s3.bucket', 'photos'),
  ]),
  fails: fc.constantFrom(false, false, false, true),
});
const spans = fc.uniqueArray(span, { minLength: 1, maxLength: 8, selector: ({ spanId }) => spanId });

test('plain traces of OpenTelemetry are counted and summarised as any others', async () => {
  let plain = 0;
  let all = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(spans, { minLength: 1, maxLength: 5 }), fc.nat(3), async (traces, rolledUp) => {
      all += traces.length;
      plain += await compare(
        traces.map((sent, index) => spanDocuments(sent, index)),
        rolledUp,
      );
    }),
    { numRuns: 800 },
  );
  expect(plain / all).toBeGreaterThan(0.2);
});

type Sent = typeof spans extends fc.Arbitrary<infer List> ? List : never;

function spanDocuments(sent: Sent, trace: number): readonly Document[] {
  const traceId = `${trace + 1}`.padStart(32, '0');
  return sent.map(({ service, start, length, fails, ...rest }, index) => {
    const attributes = [text('service.name', service), text('cloud.account.id', service === 'bank' ? '7' : '')];
    const shared = { resource: { attributes }, scope: {}, resourceSchemaUrl: undefined, scopeSchemaUrl: undefined };
    const startMs = 1_790_000_000_000 + start + trace * 20_000;
    const times = { startTimeUnixNano: `${startMs}000000`, endTimeUnixNano: `${startMs + length}000000` };
    const status = fails ? { status: { code: 2, message: 'boom' } } : {};
    return spanWriter(shared, new Set())({ ...rest, ...times, ...status, traceId, name: 'x' }, 1_000 + index);
  });
}
