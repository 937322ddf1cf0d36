import fc from 'fast-check';
import type { TimeInterval } from 'openray/model';
import { expect, test } from 'vitest';
import { axisTicks, barPosition, wholeTimeline, zoomed } from './time-axis.ts';

test('ticks are at even steps from the start of the trace', () => {
  expect(axisTicks({ fromUs: 5_000_000, toUs: 6_000_000 }, 5_000_000, 5)).toEqual([
    { at: 0, offsetUs: 0 },
    { at: 0.2, offsetUs: 200_000 },
    { at: 0.4, offsetUs: 400_000 },
    { at: expect.closeTo(0.6), offsetUs: 600_000 },
    { at: 0.8, offsetUs: 800_000 },
    { at: 1, offsetUs: 1_000_000 },
  ]);
});

test('a view of no length has one tick', () => {
  expect(axisTicks({ fromUs: 7, toUs: 7 }, 5, 5)).toEqual([{ at: 0, offsetUs: 2 }]);
});

test.each([
  ['its duration', 10, 25, { fromUs: 10, toUs: 25 }],
  ['one microsecond without a duration', 10, 10, { fromUs: 10, toUs: 11 }],
])('the whole timeline is as long as %s', (_, startUs, endUs, whole) => {
  expect(wholeTimeline({ startUs, endUs })).toEqual(whole);
});

test('bars are cut to the view, those outside are not drawn', () => {
  const view = { fromUs: 100, toUs: 200 };
  expect(barPosition(view, 120, 150)).toEqual({ left: 0.2, width: 0.3 });
  expect(barPosition(view, 50, 150)).toEqual({ left: 0, width: 0.5 });
  expect(barPosition(view, 150, 900)).toEqual({ left: 0.5, width: 0.5 });
  expect(barPosition(view, 10, 99)).toBeUndefined();
  expect(barPosition(view, 201, 300)).toBeUndefined();
});

const anyView: fc.Arbitrary<TimeInterval> = fc
  .record({ fromUs: fc.integer({ min: 0, max: 1e9 }), length: fc.integer({ min: 1, max: 1e9 }) })
  .map(({ fromUs, length }) => ({ fromUs, toUs: fromUs + length }));

test('zooming stays inside the trace', () => {
  fc.assert(
    fc.property(
      anyView,
      fc.array(fc.tuple(fc.double({ min: 0.1, max: 10, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })), {
        maxLength: 20,
      }),
      (whole, steps) => {
        let view = whole;
        for (const [factor, at] of steps) view = zoomed(view, whole, factor, at);
        expect(view.fromUs).toBeGreaterThanOrEqual(whole.fromUs - 1e-3);
        expect(view.toUs).toBeLessThanOrEqual(whole.toUs + 1e-3);
        expect(view.toUs).toBeGreaterThan(view.fromUs);
      },
    ),
  );
});
