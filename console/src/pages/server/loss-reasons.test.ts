import { expect, test } from 'vitest';
import { aServerStatus } from '../../testing/server-status.ts';
import { lossReasonsOf } from './loss-reasons.ts';

test('every reason has a meaning and advice, and the most frequent comes first', () => {
  const reasons = lossReasonsOf(
    aServerStatus({
      dropped: 3,
      Rejections: [
        { Reason: 'MissingName', Count: 2 },
        { Reason: 'DocumentTooLarge', Count: 1 },
      ],
      RefusedRequests: [{ Reason: 'queue-full', Count: 5 }],
      Datagrams: { Received: 90, Read: 80, Dropped: [{ Reason: 'socket-full', Count: 10 }] },
    }),
  );
  expect(reasons.map(({ kind, count }) => [kind, count])).toEqual([
    ['Packet dropped', 10],
    ['Request refused', 5],
    ['Dropped', 3],
    ['Rejected', 2],
    ['Rejected', 1],
  ]);
  expect(reasons[0]?.advice).toContain('rmem_max');
  expect(reasons[1]?.advice).toContain('--queue-max-bytes');
  expect(reasons[2]?.advice).toContain('--queue-max-bytes');
  expect(reasons[3]?.meaning).toContain('MissingName');
  for (const { meaning, advice } of reasons) expect(`${meaning} ${advice}`).toMatch(/^[A-Z].*\. .*\.$/);
});

test('a server that stored every document has no reasons', () => {
  expect(lossReasonsOf(aServerStatus({ stored: 7 }))).toEqual([]);
});
