import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import { clockSkews, MAX_CLOCK_SKEWS } from './clock-skew.ts';
import type { Document } from './entity.ts';
import { spanWriter } from './otlp/documents/stored-spans.ts';
import { KIND } from './otlp-messages.ts';
import { A_START, anId, aSegment, aSubsegment, received } from './testing/builders.ts';
import { aSpan } from './testing/spans.ts';
import type { Trace } from './trace.ts';

const CALL = anId('ca11');
const CALLEE = anId('ca1e');

/** A call from 0.1 s to 0.4 s, and a segment below it. Seconds are counted from the start of the caller. */
function skewsOf(startSeconds: number, namespace = 'remote') {
  const caller = aSegment({ subsegments: [aSubsegment({ id: CALL, name: 'stock', namespace })] });
  const times = { start_time: A_START + startSeconds, end_time: A_START + startSeconds + 0.1 };
  const callee = aSegment({ id: CALLEE, name: 'stock', parent_id: CALL, ...times });
  return skewsIn(received(caller, callee));
}

function skewsIn(documents: readonly Document[]) {
  return clockSkews(assembleTrace(documents) as Trace, documents);
}

test.each<[string, number, string, number | undefined]>([
  ['inside its call', 0.2, 'remote', undefined],
  ['an hour behind', -3600 + 0.1, 'remote', -3600e6],
  ['an hour ahead', 3600 + 0.4, 'remote', 3600e6],
  ['5 ms before its call: clocks are never equal', 0.095, 'remote', undefined],
  ['a message that waited for an hour', 3600, 'aws', undefined],
  ['a message from the future', -1, 'aws', -1.1e6],
])('%s', (_, startSeconds, namespace, skewUs) => {
  const expected = skewUs === undefined ? [] : [{ id: CALLEE, parentId: CALL, skewUs: expect.closeTo(skewUs, -1) }];
  expect(skewsOf(startSeconds, namespace)).toEqual(expected);
});

/** The span of a sender, and one of another service that starts a minute after the sender's span has ended. */
function skewsOfSpans(sender: number, receiver: number, receiverId = CALLEE) {
  const later = { startTimeUnixNano: '1716560061000000000', endTimeUnixNano: '1716560062000000000' };
  const spans = [
    aSpan({ spanId: CALL, kind: sender }, { 'service.name': 'shop' }),
    aSpan({ spanId: receiverId, parentSpanId: CALL, kind: receiver, ...later }, { 'service.name': 'stock' }),
  ];
  return skewsIn(spans.map((place, index) => spanWriter(place, new Set())(place.span, index + 1)));
}

test.each([
  ['a producer', 'a consumer', KIND.producer, KIND.consumer, 0],
  ['a producer', 'a server', KIND.producer, KIND.server, 0],
  ['a client', 'a consumer', KIND.client, KIND.consumer, 0],
  ['a client', 'a server', KIND.client, KIND.server, 1],
])('%s and, a minute later, %s', (_, __, sender, receiver, skews) => {
  expect(skewsOfSpans(sender, receiver)).toHaveLength(skews);
});

test('a consumer that shares the id of its producer may be late', () => {
  expect(skewsOfSpans(KIND.producer, KIND.consumer, CALL)).toEqual([]);
});

test('the largest differences come first, and their number is bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -9_999, max: 0 }), { maxLength: 40 }), (offsets) => {
      const root = aSegment({ id: anId('a') });
      const callees = offsets.map((offset, index) =>
        aSegment({
          id: String(index + 1).padStart(16, '0'),
          parent_id: anId('a'),
          start_time: A_START + offset,
          end_time: A_START + 1,
        }),
      );
      const found = skewsIn(received(root, ...callees)).map(({ skewUs }) => skewUs / 1e6);
      const expected = offsets.filter((offset) => offset < 0).sort((a, b) => a - b);
      expect(found).toEqual(expected.slice(0, MAX_CLOCK_SKEWS));
    }),
  );
});
