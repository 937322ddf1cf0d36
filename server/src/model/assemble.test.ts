import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import type { JsonObject } from './json.ts';
import { traceToSpans } from './otlp/documents/trace-to-spans.ts';
import { orphanDocuments, processedDocuments } from './processed-document.ts';
import { summariseTrace } from './summarise.ts';
import { arbitraryDeliveries, arbitraryDelivery, arbitraryTrace, plainDelivery } from './testing/arbitrary-trace.ts';
import { A_START, anId, aSegment, aSubsegment, received, receivedTexts } from './testing/builders.ts';
import type { Trace } from './trace.ts';
import { traceGraph } from './trace-graph.ts';

const SEGMENT = anId('5a6b7c8d9e0f1a20');
const CALL = anId('ca11');

function assembled(...sent: readonly JsonObject[]): Trace {
  const trace = assembleTrace(received(...sent));
  if (trace === undefined) throw new Error('no trace');
  return trace;
}

const inProgress = (fields: JsonObject = {}) => aSegment({ end_time: undefined, in_progress: true, ...fields });

describe('versions of one segment', () => {
  test('the completed one replaces the fragment, in any order of arrival', () => {
    const complete = aSegment({ user: 'final' });
    for (const sent of [
      [inProgress(), complete],
      [complete, inProgress()],
    ]) {
      expect(assembled(...sent).root).toMatchObject({ user: 'final', endUs: (A_START + 0.5) * 1e6 });
    }
  });

  test('the first completed one stays, with its subsegments', () => {
    const trace = assembled(
      aSegment({ user: 'first', subsegments: [aSubsegment({ id: anId('a') })] }),
      aSegment({ user: 'second', subsegments: [aSubsegment({ id: anId('b') })] }),
    );
    expect(trace.root?.user).toBe('first');
    expect([...trace.entities.keys()]).toEqual([SEGMENT, anId('a')]);
    expect(trace.revision).toBe(1);
  });

  test('of several in-progress ones the latest counts', () => {
    const trace = assembled(inProgress({ user: 'early' }), inProgress({ user: 'late' }), inProgress({ user: 'early' }));
    expect(trace.root?.user).toBe('late');
    expect(trace.revision).toBe(2);
  });

  test('a subsegment that was sent inline and independently is one entity, as it was first completed', () => {
    const inline = aSubsegment({ id: CALL, annotations: { sent: 'inline' } });
    const alone = aSubsegment({ id: CALL, parent_id: SEGMENT, annotations: { sent: 'alone' } });
    const sentOf = (...sent: readonly JsonObject[]) => assembled(...sent).entities.get(CALL)?.annotations.sent;
    expect(sentOf(alone, aSegment({ subsegments: [inline] }))).toBe('alone');
    expect(sentOf(aSegment({ subsegments: [inline] }), alone)).toBe('inline');
  });

  test('unfinished subsegments of a replaced fragment are dropped, finished ones stay', () => {
    const open = aSubsegment({ id: anId('a'), end_time: undefined, in_progress: true });
    const done = aSubsegment({ id: anId('b') });
    const trace = assembled(inProgress({ subsegments: [open, done] }), aSegment());
    expect([...trace.entities.keys()]).toEqual([SEGMENT, anId('b')]);
  });
});

describe('links between entities', () => {
  test('a subsegment may come before its segment, and is an orphan until then', () => {
    const early = aSubsegment({ id: CALL, parent_id: SEGMENT });
    expect(assembled(early)).toMatchObject({ segments: [], isPartial: true, orphans: [{ id: CALL }], root: undefined });
    const trace = assembled(early, aSegment());
    expect(trace).toMatchObject({ isPartial: false, orphans: [], revision: 2 });
    expect(trace.segmentOf.get(CALL)?.id).toBe(SEGMENT);
  });

  test('a segment with a parent is a callee: a child of the call, and a segment of its own', () => {
    const trace = assembled(
      aSegment({ subsegments: [aSubsegment({ id: CALL, namespace: 'remote' })] }),
      aSegment({ id: anId('b'), parent_id: CALL, name: 'stock', start_time: A_START + 0.2 }),
    );
    expect(trace.segments.map(({ name }) => name)).toEqual(['shop', 'stock']);
    expect(trace.childrenOf.get(CALL)?.map(({ name }) => name)).toEqual(['stock']);
    expect(trace.segmentOf.get(anId('b'))?.name).toBe('stock');
  });

  test('the root is the earliest segment without a parent', () => {
    const trace = assembled(
      aSegment({ id: anId('a'), start_time: 3, end_time: 9 }),
      aSegment({ id: anId('b'), start_time: 2, end_time: 9 }),
      aSegment({ id: anId('c'), start_time: 1, end_time: 9, parent_id: CALL }),
    );
    expect(trace.root?.id).toBe(anId('b'));
    expect(trace.isPartial).toBe(true);
  });

  test('a cycle is cut at its earliest entity', () => {
    const [a, b, c] = [anId('a'), anId('b'), anId('c')];
    const trace = assembled(
      aSubsegment({ id: a, parent_id: c, start_time: 2, end_time: 3 }),
      aSubsegment({ id: b, parent_id: a, start_time: 1, end_time: 3 }),
      aSubsegment({ id: c, parent_id: b, start_time: 3, end_time: 3 }),
      aSubsegment({ id: anId('f'), parent_id: a, start_time: 0, end_time: 3 }),
      aSubsegment({ id: anId('d'), parent_id: anId('d') }),
    );
    expect(trace.orphans.map(({ id }) => id)).toEqual([b, anId('d')]);
    expect(trace.childrenOf.get(b)?.map(({ id }) => id)).toEqual([c]);
    expect(trace.isPartial).toBe(false);
  });

  test('a chain of 20,000 independent subsegments does not overflow the call stack', () => {
    const idOf = (level: number) => (level + 1).toString(16).padStart(16, '0');
    const chain = Array.from({ length: 20_000 }, (_, level) =>
      aSubsegment({ id: idOf(level + 1), parent_id: idOf(level) }),
    );
    const trace = assembled(aSegment({ id: idOf(0) }), ...chain);
    expect(trace.segmentOf.size).toBe(20_001);
    expect(traceGraph(trace).nodes).toHaveLength(2);
    expect(summariseTrace(trace)).toMatchObject({ segmentCount: 1, subsegmentCount: 20_000 });
    expect(traceToSpans(trace, [])).toHaveLength(20_001);
  });
});

test('without documents there is no trace', () => {
  expect(assembleTrace([])).toBeUndefined();
});

test('revision counts the documents that changed the trace, updatedUs is the arrival of the last one', () => {
  const trace = assembled(inProgress(), aSegment(), aSegment({ user: 'again' }), aSubsegment({ parent_id: SEGMENT }));
  expect(trace).toMatchObject({ revision: 3, updatedUs: A_START * 1e6 + 3 });
});

describe('for any trace', () => {
  test('the order of the documents does not change the trace', () => {
    const cases = arbitraryTrace().chain((trace) =>
      arbitraryDelivery(trace).chain((delivery) => {
        const documents = receivedTexts(delivery);
        return fc.record({
          documents: fc.constant(documents),
          shuffled: fc.shuffledSubarray([...documents], { minLength: documents.length }),
        });
      }),
    );
    fc.assert(
      fc.property(cases, ({ documents, shuffled }) => {
        expect(assembleTrace(shuffled)).toEqual(assembleTrace(documents));
      }),
    );
  });

  test('repeats do not change the trace, not even the revision', () => {
    const cases = arbitraryTrace().chain((trace) =>
      arbitraryDelivery(trace).chain((delivery) =>
        fc.record({ delivery: fc.constant(delivery), again: fc.shuffledSubarray([...delivery]) }),
      ),
    );
    fc.assert(
      fc.property(cases, ({ delivery, again }) => {
        const once = receivedTexts(delivery);
        expect(assembleTrace([...once, ...receivedTexts([...delivery, ...again]), ...once])).toEqual(
          assembleTrace(once),
        );
      }),
    );
  });

  test('the way in which it was sent changes only the revision', () => {
    fc.assert(
      fc.property(arbitraryDeliveries(2), ({ trace, deliveries }) => {
        const [plain, ...others] = [plainDelivery(trace), ...deliveries].map((delivery) =>
          contentOf(receivedTexts(delivery)),
        );
        for (const other of others) expect(other).toEqual(plain);
      }),
    );
  });

  test('every entity is exactly once below a segment or below an orphan', () => {
    fc.assert(
      fc.property(arbitraryTrace().chain(arbitraryDelivery), fc.nat(), (delivery, cut) => {
        const documents = receivedTexts(delivery.slice(0, 1 + (cut % delivery.length)));
        const trace = assembleTrace(documents) as Trace;
        const printed = [...processedDocuments(trace), ...orphanDocuments(trace)].flatMap(({ document }) =>
          idsIn(document),
        );
        const inferred = printed.filter((id) => !trace.entities.has(anId(id)));
        expect(printed.length - inferred.length).toBe(trace.entities.size);
        expect(new Set(printed).size).toBe(printed.length);
      }),
    );
  });
});

function contentOf(documents: ReturnType<typeof received>) {
  const trace = assembleTrace(documents) as Trace;
  return { documents: processedDocuments(trace), orphans: orphanDocuments(trace), isPartial: trace.isPartial };
}

function idsIn(document: JsonObject): readonly string[] {
  const subsegments = (document.subsegments ?? []) as readonly JsonObject[];
  return [String(document.id), ...subsegments.flatMap(idsIn)];
}
