import { expect, test } from 'vitest';
import { type Part, readParts, roundsOf, summary } from './results.ts';

const part = (more: Partial<Part>): Part => ({
  ...{ seed: 7, rounds: [], acknowledgedTraces: 10, acknowledgedSpans: 100, upSeconds: 2, lost: 0, duplicated: 0 },
  ...{
    withoutEntities: 0,
    unanswered: 3,
    repeatedRows: 0,
    datagramsSent: 5,
    datagramsStored: 4,
    cutBytes: 0,
    examples: [],
  },
  ...more,
});
const rounds = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    victim: 'server' as const,
    backMs: index + 1,
    answeredMs: 2 * index,
  }));

test('a state file continues after its last complete part', () => {
  const lines = [part({ rounds: rounds(2) }), part({ rounds: rounds(3) })].map((one) => `${JSON.stringify(one)}\n`);
  const cutOff = `${lines.join('')}${lines[0]?.slice(0, 20)}`;
  expect(roundsOf(readParts(cutOff)).length).toBe(5);
  expect(readParts('')).toEqual([]);
});

test('the summary adds up all parts and has the times of each victim', () => {
  const text = summary([part({ rounds: rounds(20), lost: 1, examples: ['abc'] }), part({ seed: 8 })], 'embedded');
  expect(text).toMatch(/^server +20 times, acknowledges after p50 10 ms, p95 19 ms, longest 20 ms$/m);
  expect(text).toMatch(/^acknowledged +20 traces, 50 spans\/s while the server was up$/m);
  expect(text).toMatch(/^lost +1$/m);
  expect(text).toMatch(/^seeds +7 8$/m);
  expect(text).not.toContain('engine');
  expect(text).toContain('  abc\n');
});
