import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEFAULT_RULE } from './rules.ts';
import { newSamplingTargets } from './targets.ts';

const SECOND_US = 1_000_000;
const report = (clientId: string, requestCount: number, ruleName = 'Default') => ({
  ruleName,
  clientId,
  requestCount,
  sampledCount: 0,
  borrowCount: 0,
});

test("a client's first report gives it the rate alone, the second a quota that lasts", () => {
  const targets = newSamplingTargets(() => [DEFAULT_RULE]);
  expect(targets.report(report('a', 10), 0)).toEqual({ ruleName: 'Default', fixedRate: 0.05, quota: undefined });
  expect(targets.report(report('a', 10), 10 * SECOND_US)?.quota).toEqual({
    perSecond: 1,
    ttlUs: 310 * SECOND_US,
    intervalSeconds: 10,
  });
});

test('an unknown rule has no target', () => {
  expect(newSamplingTargets(() => [DEFAULT_RULE]).report(report('a', 1, 'gone'), 0)).toBeUndefined();
});

test('a client that stopped reporting leaves its share to the others', () => {
  const targets = newSamplingTargets(() => [{ ...DEFAULT_RULE, reservoirSize: 10 }]);
  targets.report(report('a', 50), 0);
  targets.report(report('b', 50), 0);
  expect(targets.report(report('a', 50), 10 * SECOND_US)?.quota?.perSecond).toBe(5);
  expect(targets.report(report('a', 50), 60 * SECOND_US)?.quota).toBeUndefined();
  expect(targets.report(report('a', 50), 70 * SECOND_US)?.quota?.perSecond).toBe(10);
});

test('however many clients report, their quotas add up to the reservoir', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 50 }),
      fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 12 }),
      (reservoirSize, demands) => {
        const targets = newSamplingTargets(() => [{ ...DEFAULT_RULE, reservoirSize }]);
        demands.forEach((demand, client) => {
          targets.report(report(`client-${client}`, demand), 0);
        });
        const quotas = demands.map((demand, client) => {
          const target = targets.report(report(`client-${client}`, demand), 10 * SECOND_US);
          return target?.quota?.perSecond ?? Number.NaN;
        });
        expect(quotas.reduce((sum, quota) => sum + quota, 0)).toBe(reservoirSize);
      },
    ),
  );
});
