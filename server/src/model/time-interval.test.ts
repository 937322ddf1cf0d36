import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  afterThrough,
  afterUsOf,
  contains,
  endedIn,
  fromThrough,
  isEmpty,
  lastUsOf,
  splitAfter,
  splitBefore,
  type TimeInterval,
} from './time-interval.ts';

const NOW_US = 1_716_560_000_000_000;
/** Close together, so that bounds often coincide. */
const time = fc.integer({ min: NOW_US, max: NOW_US + 12 });
const interval = fc.tuple(time, time).map(([fromUs, toUs]): TimeInterval => ({ fromUs, toUs }));

test('each form contains its named ends and excludes the others', () => {
  fc.assert(
    fc.property(time, time, time, (startUs, endUs, us) => {
      expect(contains({ fromUs: startUs, toUs: endUs }, us)).toBe(startUs <= us && us < endUs);
      expect(contains(fromThrough(startUs, endUs), us)).toBe(startUs <= us && us <= endUs);
      expect(contains(afterThrough(startUs, endUs), us)).toBe(startUs < us && us <= endUs);
    }),
  );
});

test('an interval is empty when it contains no microsecond', () => {
  fc.assert(
    fc.property(interval, (some) => {
      const all = Array.from({ length: 14 }, (_, index) => NOW_US + index);
      expect(isEmpty(some)).toBe(!all.some((us) => contains(some, us)));
    }),
  );
});

test('afterThrough of the bounds of an interval is the interval', () => {
  fc.assert(
    fc.property(interval, (some) => {
      expect(afterThrough(afterUsOf(some), lastUsOf(some))).toEqual(some);
      expect(fromThrough(some.fromUs, lastUsOf(some))).toEqual(some);
    }),
  );
});

test('the parts of a split contain each microsecond of the interval once, on its side of the cut', () => {
  const full = interval.filter((some) => !isEmpty(some));
  fc.assert(
    fc.property(full, time, time, (whole, cutUs, us) => {
      const [before, from] = splitBefore(whole, cutUs);
      expect([contains(before, us), contains(from, us)]).toEqual([
        contains(whole, us) && us < cutUs,
        contains(whole, us) && us >= cutUs,
      ]);
      const [through, after] = splitAfter(whole, cutUs);
      expect([contains(through, us), contains(after, us)]).toEqual([
        contains(whole, us) && us <= cutUs,
        contains(whole, us) && us > cutUs,
      ]);
    }),
  );
});

test('an entity in progress has ended in no interval', () => {
  expect(endedIn({ fromUs: 0, toUs: 10 }, { endUs: 9 })).toBe(true);
  expect(endedIn({ fromUs: 0, toUs: 10 }, { endUs: 10 })).toBe(false);
  expect(endedIn({ fromUs: 0, toUs: Number.MAX_SAFE_INTEGER }, { endUs: undefined })).toBe(false);
});
