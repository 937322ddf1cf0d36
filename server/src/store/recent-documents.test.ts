import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Document } from '../model/entity.ts';
import { newRecentDocuments } from './recent-documents.ts';
import { traceIdOf } from './testing/documents.ts';

const document = (trace: number, seq: number, bytes = 10): Document => ({
  format: 'xray',
  traceId: traceIdOf(trace),
  id: '0000000000000001' as Document['id'],
  seq,
  text: 'x'.repeat(bytes),
  entities: [],
});

const seqsOf = (recent: ReturnType<typeof newRecentDocuments>, trace: number) =>
  recent
    .ofTrace(traceIdOf(trace))
    .map(({ seq }) => seq)
    .sort((a, b) => a - b);

type Step =
  | { readonly kind: 'add' | 'invalidate'; readonly documents: readonly Document[] }
  | { readonly kind: 'evict'; readonly seq: number };

const documents = fc.array(
  fc
    .record({ trace: fc.integer({ min: 1, max: 4 }), seq: fc.integer({ min: 1, max: 60 }) })
    .map(({ trace, seq }) => document(trace, seq)),
  { maxLength: 6 },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), documents }) },
  fc.record({ kind: fc.constant('invalidate' as const), documents }),
  fc.record({ kind: fc.constant('evict' as const), seq: fc.integer({ min: 0, max: 60 }) }),
);

test('exactly the documents stored after afterSeq are cached, for any order of calls', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const recent = newRecentDocuments(0, 150);
      const stored: Document[] = [];
      for (const current of steps) {
        if (current.kind === 'evict') recent.evict(current.seq);
        else recent[current.kind](current.documents);
        // All invalidated documents may be stored.
        if (current.kind !== 'evict') stored.push(...current.documents);
        for (const trace of [1, 2, 3, 4]) {
          const expected = stored.filter(({ traceId, seq }) => traceId === traceIdOf(trace) && seq > recent.afterSeq);
          expect(seqsOf(recent, trace)).toEqual(expected.map(({ seq }) => seq).sort((a, b) => a - b));
        }
      }
    }),
  );
});

test('documents stored before the start are not cached', () => {
  const recent = newRecentDocuments(100, 1_000);
  recent.add([document(1, 99), document(1, 101)]);
  expect(recent.afterSeq).toBe(100);
  expect(seqsOf(recent, 1)).toEqual([101]);
});

test('the oldest documents are evicted', () => {
  const recent = newRecentDocuments(0, 1_000);
  for (let seq = 1; seq <= 100; seq++) recent.add([document(1, seq, 100)]);
  expect(recent.afterSeq).toBeGreaterThanOrEqual(90);
  expect(recent.afterSeq).toBeLessThan(100);
  expect(seqsOf(recent, 1)).toEqual(
    Array.from({ length: 100 - recent.afterSeq }, (_, index) => recent.afterSeq + 1 + index),
  );
});
