import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../store/store.ts';
import { startClickHouse } from '../store/testing/clickhouse-server.ts';
import { openTestStore } from '../store/testing/open-test-store.ts';
import { STORES, type StoreLocation } from '../store/testing/stores.ts';
import { DEFAULT_RULE } from './rules.ts';
import { newSharedSamplingTargets } from './shared-targets.ts';
import type { SamplingTargets } from './targets.ts';

const SECOND_US = 1_000_000;
const rules = () => [{ ...DEFAULT_RULE, reservoirSize: 12 }];
const shared = STORES.filter(({ name }) => name !== 'embedded store');

describe.each(shared)('two servers on a $name', ({ make }) => {
  let location: StoreLocation;
  let stores: readonly Store[];
  /** Each test starts 1,000 s later, so that the clients of earlier tests have timed out. */
  let nowUs = 1_000 * SECOND_US;

  beforeAll(async () => {
    location = await make();
    stores = [await location.open(), await location.open()];
  });

  afterAll(async () => {
    for (const store of stores) await store.close();
    await location.remove();
  });

  function servers(): readonly [SamplingTargets, SamplingTargets] {
    nowUs += 1_000 * SECOND_US;
    const [one, other] = stores.map((store) => newSharedSamplingTargets(store, rules));
    return [one as SamplingTargets, other as SamplingTargets];
  }

  async function quotaAfter(server: SamplingTargets, clientId: string, requestCount: number, atS: number) {
    const atUs = nowUs + atS * SECOND_US;
    const counts = { requestCount, sampledCount: 0, borrowCount: 0 };
    const [target] = await server.report([{ ruleName: 'Default', clientId, timestampUs: atUs, ...counts }], atUs);
    return target?.quota?.perSecond;
  }

  test('divide one reservoir among the clients of both', async () => {
    const [one, other] = servers();
    await Promise.all([quotaAfter(one, 'a', 100, 0), quotaAfter(other, 'b', 200, 0), quotaAfter(other, 'c', 300, 0)]);
    const quotas = await Promise.all([
      quotaAfter(one, 'a', 100, 10),
      quotaAfter(other, 'b', 200, 10),
      quotaAfter(other, 'c', 300, 10),
    ]);
    expect(quotas).toEqual([2, 4, 6]);
  });

  test('a client that reports to both is one client', async () => {
    const [one, other] = servers();
    expect(await quotaAfter(one, 'a', 100, 0)).toBeUndefined();
    expect(await quotaAfter(other, 'a', 100, 10)).toBe(12);
    expect(await quotaAfter(one, 'a', 100, 20)).toBe(12);
  });

  test('the others receive the share of the clients of a stopped server', async () => {
    const [one, other] = servers();
    await Promise.all([quotaAfter(one, 'a', 100, 0), quotaAfter(other, 'b', 100, 0)]);
    expect(await Promise.all([quotaAfter(one, 'a', 100, 10), quotaAfter(other, 'b', 100, 10)])).toEqual([6, 6]);
    // From here on `one` receives no reports.
    expect(await quotaAfter(other, 'b', 100, 20)).toBe(6);
    expect(await quotaAfter(other, 'b', 100, 30)).toBe(6);
    expect(await quotaAfter(other, 'b', 100, 41)).toBe(12);
  });

  test('for many simultaneous reports to both servers, the sum of quotas is the reservoir', async () => {
    const [one, other] = servers();
    const clients = Array.from({ length: 40 }, (_, index) => `client-${index}`);
    let quotas: readonly (number | undefined)[] = [];
    for (const atS of [0, 10, 20]) {
      quotas = await Promise.all(
        clients.map((client, index) => quotaAfter(index % 3 === 0 ? one : other, client, 10 + (index % 5), atS)),
      );
    }
    expect(quotas.reduce<number>((sum, quota) => sum + (quota ?? 0), 0)).toBe(12);
  });
});

test('while the store is away, a server continues from the last quotas', async () => {
  const { shards, url, stop } = await startClickHouse();
  const store = await openTestStore('', { storeUrl: url });
  const server = newSharedSamplingTargets(store, rules);
  const quotasAt = async (seconds: number) => {
    const timestampUs = seconds * SECOND_US;
    const counts = { timestampUs, requestCount: 100, sampledCount: 0, borrowCount: 0 };
    const reports = ['a', 'b'].map((clientId) => ({ ruleName: 'Default', clientId, ...counts }));
    return (await server.report(reports, timestampUs)).map((target) => target?.quota?.perSecond);
  };
  expect(await quotasAt(0)).toEqual([undefined, undefined]);
  expect(await quotasAt(10)).toEqual([6, 6]);
  await shards[0]?.kill();
  expect(await quotasAt(20)).toEqual([6, 6]);
  await shards[0]?.start();
  expect(await quotasAt(30)).toEqual([6, 6]);
  await store.close();
  await stop();
});
