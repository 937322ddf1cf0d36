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

/** Clients that report one at a time, with their own time right. */
function reporting(reservoirSize: number) {
  const targets = newSamplingTargets(() => withReservoir(reservoirSize));
  return async (clientId: string, demand: number, atUs: number): Promise<SamplingTarget | undefined> => {
    const [target] = await targets.report([report(clientId, demand, atUs)], atUs);
    return target;
  };
}

test("a client's first report gives it the rate alone, the second a quota that lasts", async () => {
  const take = reporting(1);
  expect(await take('a', 10, 0)).toEqual({ ruleName: 'Default', fixedRate: 0.05, quota: undefined });
  expect((await take('a', 10, 10 * SECOND_US))?.quota).toEqual({
    perSecond: 1,
    ttlUs: 310 * SECOND_US,
    intervalSeconds: 10,
  });
});

test('an unknown rule has no target, and its neighbours have theirs', async () => {
  const targets = newSamplingTargets(() => [DEFAULT_RULE]);
  const answers = await targets.report([report('a', 1, 0, 'gone'), report('a', 1, 0)], 0);
  expect(answers).toEqual([undefined, { ruleName: 'Default', fixedRate: 0.05, quota: undefined }]);
});

test('a client that stopped reporting leaves its share to the others', async () => {
  const take = reporting(10);
  await take('a', 50, 0);
  await take('b', 50, 0);
  expect((await take('a', 50, 10 * SECOND_US))?.quota?.perSecond).toBe(5);
  expect((await take('a', 50, 60 * SECOND_US))?.quota).toBeUndefined();
  expect((await take('a', 50, 70 * SECOND_US))?.quota?.perSecond).toBe(10);
});

test('a client that comes later gets its share when those before it have been given less', async () => {
  const take = reporting(10);
  await take('a', 50, 0);
  expect((await take('a', 50, 10 * SECOND_US))?.quota?.perSecond).toBe(10);
  await take('b', 50, 11 * SECOND_US);
  expect((await take('b', 50, 19 * SECOND_US))?.quota?.perSecond).toBe(0);
  expect((await take('a', 50, 20 * SECOND_US))?.quota?.perSecond).toBe(5);
  expect((await take('b', 50, 29 * SECOND_US))?.quota?.perSecond).toBe(5);
});

test('a report that comes twice counts once', async () => {
  const take = reporting(10);
  await take('a', 50, 1);
  expect((await take('a', 900, 1))?.quota).toBeUndefined();
  await take('b', 50, 2);
  expect((await take('b', 50, 10 * SECOND_US))?.quota?.perSecond).toBe(5);
});

test.each([-301, 301])('a report from %i seconds away is taken and changes nothing', async (seconds) => {
  const targets = newSamplingTargets(() => withReservoir(10));
  const nowUs = 1000 * SECOND_US;
  const [target] = await targets.report([report('skewed', 900, nowUs + seconds * SECOND_US)], nowUs);
  expect(target).toEqual({ ruleName: 'Default', fixedRate: 0.05, quota: undefined });
  await targets.report([report('a', 1, nowUs)], nowUs);
  const [share] = await targets.report([report('a', 1, nowUs + 10 * SECOND_US)], nowUs + 10 * SECOND_US);
  expect(share?.quota?.perSecond).toBe(10);
});

const client = fc.integer({ min: 0, max: 7 }).map((number) => `client-${number}`);
const turns = fc.array(fc.record({ client, demand: fc.nat({ max: 1000 }), laterS: fc.nat({ max: 20 }) }), {
  minLength: 1,
  maxLength: 60,
});

test('whoever reports when, quotas together are never more than the reservoir', () => {
  fc.assert(
    fc.property(fc.nat({ max: 50 }), turns, (reservoir, reports) => {
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

test('once all clients have reported a few times, their quotas add up to the reservoir', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 50 }),
      fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 12 }),
      async (reservoirSize, demands) => {
        const take = reporting(reservoirSize);
        let quotas: readonly number[] = [];
        for (const round of [0, 1, 2]) {
          const answers = [];
          for (const [index, demand] of demands.entries()) {
            answers.push(await take(`client-${index}`, demand, round * 10 * SECOND_US));
          }
          quotas = answers.map((target) => target?.quota?.perSecond ?? 0);
        }
        expect(quotas.reduce((sum, quota) => sum + quota, 0)).toBe(reservoirSize);
      },
    ),
  );
});
