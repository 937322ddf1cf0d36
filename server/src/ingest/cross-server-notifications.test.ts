import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TraceId } from '../model/trace-id.ts';
import type { Store } from '../store/store.ts';
import { aDocument, traceIdOf } from '../store/testing/documents.ts';
import { STORES, type StoreLocation } from '../store/testing/stores.ts';
import { type CrossServerNotifications, newCrossServerNotifications } from './cross-server-notifications.ts';

const shared = STORES.filter(({ name }) => name !== 'embedded store');
const now = () => Date.now() * 1000;

describe.each(shared)('two servers on a $name', ({ make }) => {
  let place: StoreLocation;
  let here: Store;
  let elsewhere: Store;
  let arrivals: CrossServerNotifications;
  let number = 0;

  beforeAll(async () => {
    place = await make();
    [here, elsewhere] = [await place.open(), await place.open()];
  }, 60_000);

  afterEach(() => arrivals.close());

  afterAll(async () => {
    await Promise.all([here.close(), elsewhere.close()]);
    await place.remove();
  });

  function listen(store: Store = here) {
    arrivals = newCrossServerNotifications(store);
    const heard: TraceId[] = [];
    return { heard, unsubscribe: arrivals.subscribe((ids) => heard.push(...ids)) };
  }

  test('what one stores the other hears of soon', async () => {
    const { heard } = listen();
    const took: number[] = [];
    for (let round = 0; round < 20; round++) {
      number += 1;
      await elsewhere.append([aDocument(number, { seq: now() })]);
      const stored = performance.now();
      await vi.waitUntil(() => heard.includes(traceIdOf(number)), { timeout: 10_000, interval: 2 });
      took.push(performance.now() - stored);
    }
    expect(took.sort((a, b) => a - b)[10]).toBeLessThan(200);
    expect(new Set(heard).size).toBe(heard.length);
  });

  test('nobody hears of documents here twice, nor of what is told already', async () => {
    const { heard } = listen();
    number += 1;
    await here.append([aDocument(number, { seq: now() })]);
    arrivals.notify([traceIdOf(number)]);
    await elsewhere.append([aDocument(++number, { seq: now() })]);
    await vi.waitUntil(() => heard.includes(traceIdOf(number)), { timeout: 10_000 });
    await elsewhere.append([aDocument(++number, { seq: now() })]);
    await vi.waitUntil(() => heard.includes(traceIdOf(number)), { timeout: 10_000 });
    expect(heard.filter((id) => [number - 2, number - 1, number].map(traceIdOf).includes(id))).toEqual(
      [number - 2, number - 1, number].map(traceIdOf),
    );
  });

  test('a document that comes a little late is heard of, too', async () => {
    const { heard } = listen();
    const seq = now();
    await elsewhere.append([aDocument(++number, { seq })]);
    await vi.waitUntil(() => heard.includes(traceIdOf(number)), { timeout: 10_000 });
    await elsewhere.append([aDocument(++number, { seq: seq - 100_000 })]);
    await vi.waitUntil(() => heard.includes(traceIdOf(number)), { timeout: 10_000 });
  });

  test('the store is asked only while somebody listens, and again after it failed', async () => {
    let isAway = true;
    const query = vi.fn((...[statement, options]: Parameters<Store['query']>) =>
      isAway ? Promise.reject(new Error('away')) : here.query(statement, options),
    );
    const { heard, unsubscribe } = listen({ ...here, query: query as Store['query'] });
    await vi.waitUntil(() => query.mock.calls.length > 0);
    isAway = false;
    await elsewhere.append([aDocument(++number, { seq: now() })]);
    await vi.waitUntil(() => heard.includes(traceIdOf(number)), { timeout: 10_000 });
    unsubscribe();
    await arrivals.close();
    const asked = query.mock.calls.length;
    await elsewhere.append([aDocument(++number, { seq: now() })]);
    expect(query.mock.calls.length).toBe(asked);
  });
});
