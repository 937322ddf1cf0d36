import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LeanDocument } from '../model/lean-document.ts';
import { type LeanBatch, type LeanRecords, leanBatch } from './lean-batch.ts';
import {
  type AddedEntity,
  addLeanEntity,
  copyLeanSegments,
  endLeanSegment,
  newLeanSegmentBuffer,
} from './lean-segments.ts';
import { type AddedSpan, addLeanSpan, copyLeanSpans, newLeanSpanBuffer, numberLeanSpan } from './lean-spans.ts';
import { newRecentDocuments } from './recent-documents.ts';
import { writeHex } from './row-binary.ts';
import { traceIdOf } from './testing/documents.ts';

const document = (trace: number, seq: number, bytes = 10): LeanDocument => ({
  format: 'otlp-log',
  traceId: traceIdOf(trace),
  id: '0000000000000001' as LeanDocument['id'],
  seq,
  text: 'x'.repeat(bytes),
});

const seqsOf = (recent: ReturnType<typeof newRecentDocuments>, trace: number) =>
  recent
    .ofTrace(traceIdOf(trace))
    .map(({ seq }) => seq)
    .sort((a, b) => a - b);

type Arrived = { readonly trace: number; readonly seq: number; readonly isRecord: boolean };

/** What is stored together: records have no objects. */
function batchOf(arrived: readonly Arrived[], kind: LeanRecords['kind'] = 'spans'): LeanBatch {
  const records = arrived.filter(({ isRecord }) => isRecord).sort((a, b) => a.seq - b.seq);
  const documents = arrived.filter(({ isRecord }) => !isRecord).map(({ trace, seq }) => document(trace, seq));
  return leanBatch(documents, kind === 'spans' ? spansOf(records) : segmentsOf(records));
}

function spansOf(arrived: readonly Arrived[]): LeanRecords {
  const buffer = newLeanSpanBuffer();
  for (const [index, { trace, seq }] of arrived.entries()) {
    addLeanSpan(buffer, aSpan(trace));
    numberLeanSpan(buffer, index, seq);
  }
  return copyLeanSpans(buffer);
}

/** Of one to three entities each. */
function segmentsOf(arrived: readonly Arrived[]): LeanRecords {
  const buffer = newLeanSegmentBuffer();
  for (const { trace, seq } of arrived) {
    for (let entity = 0; entity <= seq % 3; entity++) addLeanEntity(buffer, AN_ENTITY);
    writeHex(buffer.heads, traceIdOf(trace), 16);
    endLeanSegment(buffer, seq, 10);
  }
  return copyLeanSegments(buffer);
}

const OK = { outcome: 'ok', isFault: false, isError: false, isThrottle: false } as const;

const aSpan = (trace: number): AddedSpan => ({
  request: Buffer.from(traceIdOf(trace), 'hex'),
  traceAt: 0,
  idAt: 8,
  parentAt: -1,
  startUs: 1,
  endUs: 2,
  bodyBytes: 10,
  shape: 'segment',
  isServer: true,
  dependsOnParent: false,
  isRemote: false,
  hasSql: false,
  flags: OK,
  serviceFlags: OK,
  serviceId: undefined,
  shared: {
    xray: { serviceName: 'shop', instanceId: undefined },
    segment: { origin: undefined, resourceArn: undefined, accountId: undefined, fields: {} },
  },
  name: 'shop',
  user: undefined,
  http: undefined,
  callee: undefined,
  serviceName: undefined,
});

const AN_ENTITY: AddedEntity = {
  bytes: Buffer.from('1'.repeat(16)),
  idAt: 0,
  parentAt: -1,
  kind: 'segment',
  startUs: 1,
  endUs: 2,
  flags: OK,
  name: 'shop',
  namespace: undefined,
  annotations: {},
  details: undefined,
  ownBytes: 0,
};

type Step =
  | {
      readonly kind: 'add' | 'invalidate';
      readonly documents: readonly Arrived[];
      readonly records: LeanRecords['kind'];
    }
  | { readonly kind: 'evict' | 'rolledUp'; readonly seq: number };

const arrived = fc.record({
  trace: fc.integer({ min: 1, max: 4 }),
  seq: fc.integer({ min: 1, max: 60 }),
  isRecord: fc.boolean(),
});
const documents = fc.array(arrived, { maxLength: 6 });
const records = fc.constantFrom('spans' as const, 'segments' as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), documents, records }) },
  fc.record({ kind: fc.constant('invalidate' as const), documents, records }),
  fc.record({ kind: fc.constantFrom('evict' as const, 'rolledUp' as const), seq: fc.integer({ min: 0, max: 60 }) }),
);
const ascending = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);

test('exactly the documents stored after afterSeq are cached, for any order of calls', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.integer({ max: 60 }), fc.nat(60), (steps, fromSeq, toSeq) => {
      const recent = newRecentDocuments(0, 1_000);
      const stored: Arrived[] = [];
      for (const current of steps) {
        const { afterSeq } = recent;
        if ('seq' in current) {
          recent[current.kind](current.seq);
          if (current.kind === 'rolledUp') expect(recent.afterSeq).toBeLessThanOrEqual(Math.max(afterSeq, current.seq));
        } else {
          const { documents: all, records: kind } = current;
          recent[current.kind]([batchOf(all.slice(0, 3), kind), batchOf(all.slice(3))]);
        }
        // All invalidated documents may be stored.
        if (!('seq' in current)) stored.push(...current.documents);
        const expected = stored.filter(({ seq }) => seq > recent.afterSeq);
        for (const trace of [1, 2, 3, 4]) {
          const ofTrace = expected.filter((one) => one.trace === trace);
          expect(seqsOf(recent, trace)).toEqual(ascending(ofTrace.map(({ seq }) => seq)));
        }
        const between = expected.filter(({ seq }) => seq > fromSeq && seq <= toSeq);
        expect([...recent.seqsBetween(fromSeq, toSeq)]).toEqual(ascending(between.map(({ seq }) => seq)));
        const traces = new Set(between.map(({ trace }) => traceIdOf(trace)));
        expect([...recent.tracesBetween(fromSeq, toSeq)].sort()).toEqual([...traces].sort());
      }
    }),
  );
});

test('documents stored before the start are not cached', () => {
  const recent = newRecentDocuments(100, 1_000);
  recent.add([leanBatch([document(1, 99), document(1, 101)])]);
  expect(recent.afterSeq).toBe(100);
  expect(seqsOf(recent, 1)).toEqual([101]);
});

test.each(['spans', 'segments', undefined] as const)('the oldest documents are evicted (%s)', (kind) => {
  const recent = newRecentDocuments(0, 1_000);
  for (let seq = 1; seq <= 100; seq++)
    recent.add([kind ? batchOf([{ trace: 1, seq, isRecord: true }], kind) : leanBatch([document(1, seq, 100)])]);
  expect(recent.afterSeq).toBeGreaterThanOrEqual(90);
  expect(recent.afterSeq).toBeLessThan(100);
  expect(seqsOf(recent, 1)).toEqual(
    Array.from({ length: 100 - recent.afterSeq }, (_, index) => recent.afterSeq + 1 + index),
  );
});

test('of the documents that are rolled up, those of the last minute stay, within a share of the memory', () => {
  const recent = newRecentDocuments(0, 100_000);
  for (let second = 1; second <= 100; second++)
    recent.add([batchOf([{ trace: 1, seq: second * 1_000_000, isRecord: true }])]);
  recent.rolledUp(90_000_000);
  expect(seqsOf(recent, 1)[0]).toBe(31_000_000);
  recent.add([leanBatch([document(2, 101_000_000, 50_000)])]);
  recent.rolledUp(101_000_000);
  expect(recent.afterSeq).toBe(101_000_000);
});
