import { expect, test } from 'vitest';
import { aServerStatus } from '../../testing/server-status.ts';
import { lossReasonsOf } from './loss-reasons.ts';

test('every cause says what happened and what to do, the most frequent first', () => {
  const causes = lossReasonsOf(
    aServerStatus({
      dropped: 3,
      Rejections: [
        { Reason: 'MissingName', Count: 2 },
        { Reason: 'DocumentTooLarge', Count: 1 },
      ],
      Datagrams: { Received: 90, Read: 80, Dropped: [{ Reason: 'socket-full', Count: 10 }] },
    }),
  );
  expect(causes.map(({ kind, count }) => [kind, count])).toEqual([
    ['Packet dropped', 10],
    ['Dropped', 3],
    ['Rejected', 2],
    ['Rejected', 1],
  ]);
  expect(causes[0]?.advice).toContain('rmem_max');
  expect(causes[1]?.advice).toContain('--queue-max-bytes');
  expect(causes[2]?.meaning).toContain('MissingName');
  for (const { meaning: what, advice } of causes) expect(`${what} ${advice}`).toMatch(/^[A-Z].*\. .*\.$/);
});

test('there is nothing to say of a server that stored everything', () => {
  expect(lossReasonsOf(aServerStatus({ stored: 7 }))).toEqual([]);
});
