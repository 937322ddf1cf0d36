import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OpenrayError } from '../errors.ts';
import { MEMORY_OWNERS, newMemoryBudget } from './memory-budget.ts';

const NOTHING = { bodies: 0, decompressed: 0, decoded: 0 };

function codeOf(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (thrown) {
    return (thrown as OpenrayError).code;
  }
}

test('a request that does not fit beside others is throttled, and fits when they have ended', () => {
  const budget = newMemoryBudget(100);
  const [first, second] = [budget.open(), budget.open()];
  first.reserve('decoded', 80);
  expect(codeOf(() => second.reserve('decoded', 30))).toBe('ThrottledException');
  first.release();
  second.reserve('decoded', 30);
  expect(budget.used()).toEqual({ ...NOTHING, decoded: 30 });
});

test('a request that exceeds the budget alone is too large: a retry would not help', () => {
  const request = newMemoryBudget(100).open();
  request.reserve('decoded', 60);
  expect(codeOf(() => request.reserve('decompressed', 41))).toBe('RequestTooLargeException');
});

test('bodies leave half of the budget for decoding', () => {
  const budget = newMemoryBudget(100);
  budget.open().reserve('bodies', 50);
  const next = budget.open();
  expect(codeOf(() => next.reserve('bodies', 1))).toBe('ThrottledException');
  expect(codeOf(() => next.reserve('bodies', 51))).toBe('RequestTooLargeException');
  next.reserve('decoded', 50);
});

test('bytes of a request that has ended are refused', () => {
  const budget = newMemoryBudget(100);
  const request = budget.open();
  request.release();
  expect(codeOf(() => request.reserve('bodies', 1))).toBe('RequestCancelled');
  expect(budget.used()).toEqual(NOTHING);
});

test('the sums are those of the open requests and never exceed the budget', () => {
  const step = fc.oneof(
    fc.record({
      request: fc.nat(5),
      owner: fc.constantFrom(...MEMORY_OWNERS),
      bytes: fc.oneof(fc.nat(40), fc.nat(2_000)),
    }),
    fc.record({ request: fc.nat(5), isReleased: fc.constant(true) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const budget = newMemoryBudget(1_000);
      const requests = Array.from({ length: 6 }, () => budget.open());
      const held = requests.map(() => ({ ...NOTHING }));
      for (const one of steps) {
        const [request, own] = [requests[one.request], held[one.request]];
        if (request === undefined || own === undefined) throw new Error('no such request');
        if ('isReleased' in one) {
          request.release();
          Object.assign(own, NOTHING);
        } else if (codeOf(() => request.reserve(one.owner, one.bytes)) === undefined) {
          own[one.owner] += one.bytes;
        }
        const used = budget.used();
        for (const owner of MEMORY_OWNERS) expect(used[owner]).toBe(held.reduce((sum, of) => sum + of[owner], 0));
        expect(used.bodies + used.decompressed + used.decoded).toBeLessThanOrEqual(1_000);
      }
      for (const request of requests) request.release();
      expect(budget.used()).toEqual(NOTHING);
    }),
  );
});
