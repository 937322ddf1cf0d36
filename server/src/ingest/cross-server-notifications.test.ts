import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
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

  test('what one stores the other hears of at its next look, and it looks often', async () => {
    const TICK_MS = 50;
    const [looks, ticks, ticksWhileLooking] = [{ count: 0, open: 0 }, { count: 0 }, { count: 0 }];
    const query = async (...[statement, options]: Parameters<Store['query']>) => {
      looks.count += 1;
      looks.open += 1;
      return here.query(statement, options).finally(() => {
        looks.open -= 1;
      });
    };
    const clock = setInterval(() => {
      ticks.count += 1;
      if (looks.open > 0) ticksWhileLooking.count += 1;
    }, TICK_MS);
    onTestFinished(() => clearInterval(clock));
    const { heard } = listen({ ...here, query: query as Store['query'] });
    for (let round = 0; round < 20; round++) {
      number += 1;
      await elsewhere.append([aDocument(number, { seq: now() })]);
      // The look that is under way may miss the document. The one after it finds it before another one begins.
      const before = looks.count;
      await expect
        .poll(() => heard.includes(traceIdOf(number)) || looks.count > before + 1, { interval: 2 })
        .toBe(true);
      expect(heard).toContain(traceIdOf(number));
    }
    expect(new Set(heard).size).toBe(heard.length);
    // A pause is as long as a tick, or twice as long as the look before it.
    expect(ticks.count).toBeLessThan(5 * (looks.count + ticksWhileLooking.count));
  });

  test('nobody hears of documents here twice, nor of what is told already', async () => {
    const { heard } = listen();
    number += 1;
    await here.append([aDocument(number, { seq: now() })]);
    arrivals.notify([traceIdOf(number)]);
    await elsewhere.append([aDocument(++number, { seq: now() })]);
    await expect.poll(() => heard).toContain(traceIdOf(number));
    await elsewhere.append([aDocument(++number, { seq: now() })]);
    await expect.poll(() => heard).toContain(traceIdOf(number));
    expect(heard.filter((id) => [number - 2, number - 1, number].map(traceIdOf).includes(id))).toEqual(
      [number - 2, number - 1, number].map(traceIdOf),
    );
  });

  test('a document that comes a little late is heard of, too', async () => {
    const { heard } = listen();
    const seq = now();
    await elsewhere.append([aDocument(++number, { seq })]);
    await expect.poll(() => heard).toContain(traceIdOf(number));
    await elsewhere.append([aDocument(++number, { seq: seq - 100_000 })]);
    await expect.poll(() => heard).toContain(traceIdOf(number));
  });

  test('the store is asked only while somebody listens, and again after it failed', async () => {
    let isAway = true;
    const query = vi.fn((...[statement, options]: Parameters<Store['query']>) =>
      isAway ? Promise.reject(new Error('away')) : here.query(statement, options),
    );
    const { heard, unsubscribe } = listen({ ...here, query: query as Store['query'] });
    await expect.poll(() => query.mock.calls.length).toBeGreaterThan(0);
    isAway = false;
    await elsewhere.append([aDocument(++number, { seq: now() })]);
    await expect.poll(() => heard).toContain(traceIdOf(number));
    unsubscribe();
    await arrivals.close();
    const asked = query.mock.calls.length;
    await elsewhere.append([aDocument(++number, { seq: now() })]);
    expect(query.mock.calls.length).toBe(asked);
  });
});
