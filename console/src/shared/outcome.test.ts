import fc from 'fast-check';
import { expect, test } from 'vitest';
import { averageUs, type OutcomeCounts, outcomeCounts, ringArcs, totalOf } from './outcome.ts';

const wire = {
  OkCount: 5,
  ErrorStatistics: { ThrottleCount: 1, OtherCount: 2, TotalCount: 3 },
  FaultStatistics: { OtherCount: 4, TotalCount: 4 },
  TotalCount: 12,
  TotalResponseTime: 6,
};

test('throttles are counted apart from other errors', () => {
  expect(outcomeCounts(wire)).toEqual({ ok: 5, error: 2, throttle: 1, fault: 4 });
  expect(totalOf(outcomeCounts(wire))).toBe(wire.TotalCount);
});

test('the average is in microseconds, and unknown without requests', () => {
  expect(averageUs(wire)).toBe(500_000);
  expect(averageUs({ ...wire, TotalCount: 0, TotalResponseTime: 0 })).toBeUndefined();
  expect(averageUs(null)).toBeUndefined();
});

const anyCounts: fc.Arbitrary<OutcomeCounts> = fc.record({
  ok: fc.nat(100_000),
  error: fc.nat(100_000),
  throttle: fc.nat(100_000),
  fault: fc.nat(100_000),
});

test('arcs fill the ring without gaps, and each is wide enough to be visible', () => {
  fc.assert(
    fc.property(anyCounts, (counts) => {
      const arcs = ringArcs(counts);
      expect(arcs.map(({ outcome }) => outcome)).toEqual(
        (['ok', 'error', 'throttle', 'fault'] as const).filter((outcome) => counts[outcome] > 0),
      );
      let end = 0;
      for (const arc of arcs) {
        expect(arc.from).toBeCloseTo(end);
        expect(arc.to - arc.from).toBeGreaterThan(0.018);
        end = arc.to;
      }
      if (arcs.length > 0) expect(end).toBeCloseTo(1);
    }),
  );
});
