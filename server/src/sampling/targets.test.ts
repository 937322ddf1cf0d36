import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEFAULT_RULE } from './rules.ts';
import { printClients, readClients } from './shared-targets.ts';
import { applyReports, newSamplingTargets, type SamplingClients, type SamplingTarget } from './targets.ts';

const SECOND_US = 1_000_000;
const report = (clientId: string, requestCount: number, timestampUs: number, ruleName = 'Default') => ({
  ruleName,
  clientId,
  timestampUs,
  requestCount,
  sampledCount: 0,
  borrowCount: 0,
});
const withReservoir = (reservoirSize: number) => [{ ...DEFAULT_RULE, reservoirSize }];

/** Clients that report one at a time, with correct clocks. */
function reporting(reservoirSize: number) {
  const targets = newSamplingTargets(() => withReservoir(reservoirSize));
  return async (clientId: string, demand: number, atUs: number): Promise<SamplingTarget | undefined> => {
    const [target] = await targets.report([report(clientId, demand, atUs)], atUs);
    return target;
  };
}

test("a client's first report returns the rate alone, the second a quota with a time to live", async () => {
  const targetAfter = reporting(1);
  expect(await targetAfter('a', 10, 0)).toEqual({ ruleName: 'Default', fixedRate: 0.05, quota: undefined });
  expect((await targetAfter('a', 10, 10 * SECOND_US))?.quota).toEqual({
    perSecond: 1,
    ttlUs: 310 * SECOND_US,
    intervalSeconds: 10,
  });
});

test('an unknown rule has no target, and the other reports have theirs', async () => {
  const targets = newSamplingTargets(() => [DEFAULT_RULE]);
  const given = await targets.report([report('a', 1, 0, 'unknown'), report('a', 1, 0)], 0);
  expect(given).toEqual([undefined, { ruleName: 'Default', fixedRate: 0.05, quota: undefined }]);
});

test('the others receive the share of a client that stopped reporting', async () => {
  const targetAfter = reporting(10);
  await targetAfter('a', 50, 0);
  await targetAfter('b', 50, 0);
  expect((await targetAfter('a', 50, 10 * SECOND_US))?.quota?.perSecond).toBe(5);
  expect((await targetAfter('a', 50, 60 * SECOND_US))?.quota).toBeUndefined();
  expect((await targetAfter('a', 50, 70 * SECOND_US))?.quota?.perSecond).toBe(10);
});

test('a later client receives its share once the quotas of earlier clients are reduced', async () => {
  const targetAfter = reporting(10);
  await targetAfter('a', 50, 0);
  expect((await targetAfter('a', 50, 10 * SECOND_US))?.quota?.perSecond).toBe(10);
  await targetAfter('b', 50, 11 * SECOND_US);
  expect((await targetAfter('b', 50, 19 * SECOND_US))?.quota?.perSecond).toBe(0);
  expect((await targetAfter('a', 50, 20 * SECOND_US))?.quota?.perSecond).toBe(5);
  expect((await targetAfter('b', 50, 29 * SECOND_US))?.quota?.perSecond).toBe(5);
});

test('a repeated report counts once', async () => {
  const targetAfter = reporting(10);
  await targetAfter('a', 50, 1);
  expect((await targetAfter('a', 900, 1))?.quota).toBeUndefined();
  await targetAfter('b', 50, 2);
  expect((await targetAfter('b', 50, 10 * SECOND_US))?.quota?.perSecond).toBe(5);
});

test.each([-301, 301])('a report that is off by %i seconds is accepted and changes nothing', async (seconds) => {
  const targets = newSamplingTargets(() => withReservoir(10));
  const nowUs = 1000 * SECOND_US;
  const [target] = await targets.report([report('skewed', 900, nowUs + seconds * SECOND_US)], nowUs);
  expect(target).toEqual({ ruleName: 'Default', fixedRate: 0.05, quota: undefined });
  await targets.report([report('a', 1, nowUs)], nowUs);
  const [share] = await targets.report([report('a', 1, nowUs + 10 * SECOND_US)], nowUs + 10 * SECOND_US);
  expect(share?.quota?.perSecond).toBe(10);
});

const client = fc.integer({ min: 0, max: 7 }).map((number) => `client-${number}`);
const anyReports = fc.array(fc.record({ client, demand: fc.nat({ max: 1000 }), laterS: fc.nat({ max: 20 }) }), {
  minLength: 1,
  maxLength: 60,
});

test('for any order of reports, the sum of quotas never exceeds the reservoir', () => {
  fc.assert(
    fc.property(fc.nat({ max: 50 }), anyReports, (reservoir, reports) => {
      let clients: SamplingClients = new Map();
      let nowUs = 0;
      for (const { client: id, demand, laterS } of reports) {
        nowUs += laterS * SECOND_US;
        const statistics = [report(id, demand, nowUs)];
        clients = applyReports(clients, statistics, withReservoir(reservoir), nowUs).clients;
        const quotas = [...(clients.get('Default')?.values() ?? [])].map(({ quota }) => quota ?? 0);
        expect(quotas.reduce((sum, quota) => sum + quota, 0)).toBeLessThanOrEqual(reservoir);
        expect(Math.min(...quotas)).toBeGreaterThanOrEqual(0);
        expect(readClients(printClients(clients))).toEqual(clients);
      }
    }),
  );
});

test('once all clients have reported three times, the sum of their quotas is the reservoir', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 50 }),
      fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 12 }),
      async (reservoirSize, demands) => {
        const targetAfter = reporting(reservoirSize);
        let quotas: readonly number[] = [];
        for (const round of [0, 1, 2]) {
          const targets = [];
          for (const [index, demand] of demands.entries()) {
            targets.push(await targetAfter(`client-${index}`, demand, round * 10 * SECOND_US));
          }
          quotas = targets.map((target) => target?.quota?.perSecond ?? 0);
        }
        expect(quotas.reduce((sum, quota) => sum + quota, 0)).toBe(reservoirSize);
      },
    ),
  );
});
