import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import { clockSkews, MAX_CLOCK_SKEWS } from './clock-skew.ts';
import { A_START, anId, aSegment, aSubsegment, received } from './testing/builders.ts';
import type { Trace } from './trace.ts';

const CALL = anId('ca11');
const CALLEE = anId('ca1e');

/** A call from 0.1 s to 0.4 s, and a segment below it. Seconds are counted from the start of the caller. */
function skewsOf(startSeconds: number, namespace = 'remote') {
  const caller = aSegment({ subsegments: [aSubsegment({ id: CALL, name: 'stock', namespace })] });
  const times = { start_time: A_START + startSeconds, end_time: A_START + startSeconds + 0.1 };
  const callee = aSegment({ id: CALLEE, name: 'stock', parent_id: CALL, ...times });
  return clockSkews(assembleTrace(received(caller, callee)) as Trace);
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
      const found = clockSkews(assembleTrace(received(root, ...callees)) as Trace).map(({ skewUs }) => skewUs / 1e6);
      const expected = offsets.filter((offset) => offset < 0).sort((a, b) => a - b);
      expect(found).toEqual(expected.slice(0, MAX_CLOCK_SKEWS));
    }),
  );
});
