import { expect, test } from 'vitest';
import { newLogRecordsDropper } from './ignored-logs.ts';

test('every log record is counted, and one line an hour gives the number since the last line', () => {
  let nowMs = 0;
  const stats = { ignored: { dataPoints: 0, logRecords: 0 } };
  const lines: object[] = [];
  const drop = newLogRecordsDropper(stats, { warn: (fields) => void lines.push(fields) }, () => nowMs);
  const sent: readonly (readonly [atMs: number, logRecords: number])[] = [
    [0, 0],
    [0, 2],
    [1_000, 3],
    [3_599_999, 4],
    [3_600_000, 1],
    [3_600_001, 1],
  ];
  for (const [atMs, logRecords] of sent) {
    nowMs = atMs;
    drop(logRecords);
  }
  expect(lines).toEqual([{ logRecords: 2 }, { logRecords: 8 }]);
  expect(stats.ignored.logRecords).toBe(11);
});
