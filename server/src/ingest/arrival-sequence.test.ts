import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newArrivalSequence } from './arrival-sequence.ts';

test('numbers follow the clock, and continue after the stored ones when it is behind', () => {
  let us = 1_000;
  const sequence = newArrivalSequence(5_000, () => us);
  expect([sequence.next(), sequence.next()]).toEqual([5_001, 5_002]);
  us = 9_000;
  expect([sequence.next(), sequence.next()]).toEqual([9_000, 9_001]);
});

test('numbers increase for any clock, and the low watermark was issued at least a second ago', () => {
  const step = fc.record({ byUs: fc.integer({ min: -5_000_000, max: 5_000_000 }), afterMs: fc.nat(1_500) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let us = 1_000_000_000;
      let ms = 0;
      const sequence = newArrivalSequence(
        7,
        () => us,
        () => ms,
      );
      const issued = [{ seq: 7, atMs: Number.NEGATIVE_INFINITY }];
      for (const { byUs, afterMs } of steps) {
        us += byUs;
        ms += afterMs;
        const watermark = sequence.lowWatermark();
        expect(watermark).toBeLessThanOrEqual(
          Math.max(...issued.filter((i) => ms - i.atMs >= 1_000).map((i) => i.seq)),
        );
        const seq = sequence.next();
        expect(seq).toBeGreaterThan((issued.at(-1) as { seq: number }).seq);
        issued.push({ seq, atMs: ms });
      }
      ms += 1_000;
      expect(sequence.lowWatermark()).toBe(issued.at(-1)?.seq);
    }),
  );
});

test('numbers that are given together are all on one day, and the next ones follow them', () => {
  const midnightUs = 20_000 * 86_400_000_000;
  const sequence = newArrivalSequence(0, () => midnightUs - 3);
  expect(sequence.next(3)).toBe(midnightUs - 3);
  expect(sequence.next(2)).toBe(midnightUs);
  expect(sequence.next()).toBe(midnightUs + 2);
  const later = newArrivalSequence(0, () => midnightUs - 3);
  expect([later.next(4), later.next()]).toEqual([midnightUs, midnightUs + 4]);
});
