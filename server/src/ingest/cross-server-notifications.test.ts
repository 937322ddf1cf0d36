import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { TraceId } from '../model/trace-id.ts';
import type { Store } from '../store/store.ts';
import { aDocument, traceIdOf } from '../store/testing/documents.ts';
import { STORES, type StoreLocation } from '../store/testing/stores.ts';
import { type CrossServerNotifications, newCrossServerNotifications } from './cross-server-notifications.ts';

const shared = STORES.filter(({ name }) => name !== 'embedded store');
const now = () => Date.now() * 1000;

describe.each(shared)('two servers on a $name', ({ make }) => {
  let location: StoreLocation;
  let local: Store;
  let remote: Store;
  let notifications: CrossServerNotifications;
  let number = 0;

  beforeAll(async () => {
    location = await make();
    [local, remote] = [await location.open(), await location.open()];
  });

  afterEach(() => notifications.close());

  afterAll(async () => {
    await Promise.all([local.close(), remote.close()]);
    await location.remove();
  });

  function listen(store: Store = local) {
    notifications = newCrossServerNotifications(store);
    const received: TraceId[] = [];
    return { received, unsubscribe: notifications.subscribe((ids) => received.push(...ids)) };
  }

  test('the next poll finds the documents of another server, and polls are frequent', async () => {
    const TICK_MS = 50;
    const [polls, ticks, ticksWhilePolling] = [{ count: 0, open: 0 }, { count: 0 }, { count: 0 }];
    const query = async (...[statement, options]: Parameters<Store['query']>) => {
      polls.count += 1;
      polls.open += 1;
      return local.query(statement, options).finally(() => {
        polls.open -= 1;
      });
    };
    const clock = setInterval(() => {
      ticks.count += 1;
      if (polls.open > 0) ticksWhilePolling.count += 1;
    }, TICK_MS);
    onTestFinished(() => clearInterval(clock));
    const { received } = listen({ ...local, query: query as Store['query'] });
    for (let round = 0; round < 20; round++) {
      number += 1;
      await remote.append([aDocument(number, { seq: now() })]);
      // The running poll may miss the document. The poll after it finds the document before another poll begins.
      const before = polls.count;
      await expect
        .poll(() => received.includes(traceIdOf(number)) || polls.count > before + 1, { interval: 2 })
        .toBe(true);
      expect(received).toContain(traceIdOf(number));
    }
    expect(new Set(received).size).toBe(received.length);
    // A pause is as long as a tick, or twice as long as the poll before it.
    expect(ticks.count).toBeLessThan(5 * (polls.count + ticksWhilePolling.count));
  });

  test('each document is notified once, whether it was stored here or elsewhere', async () => {
    const { received } = listen();
    number += 1;
    await local.append([aDocument(number, { seq: now() })]);
    notifications.notify([traceIdOf(number)]);
    await remote.append([aDocument(++number, { seq: now() })]);
    await expect.poll(() => received).toContain(traceIdOf(number));
    await remote.append([aDocument(++number, { seq: now() })]);
    await expect.poll(() => received).toContain(traceIdOf(number));
    expect(received.filter((id) => [number - 2, number - 1, number].map(traceIdOf).includes(id))).toEqual(
      [number - 2, number - 1, number].map(traceIdOf),
    );
  });

  test('a document that is stored a little out of order is notified', async () => {
    const { received } = listen();
    const seq = now();
    await remote.append([aDocument(++number, { seq })]);
    await expect.poll(() => received).toContain(traceIdOf(number));
    await remote.append([aDocument(++number, { seq: seq - 100_000 })]);
    await expect.poll(() => received).toContain(traceIdOf(number));
  });

  test('a document whose insert took long is notified once', async () => {
    const subscribedUs = now();
    const { received } = listen();
    // The clock, and not the insert, is what a test can move.
    vi.useFakeTimers({ now: Date.now() + 60_000, toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    await remote.append([aDocument(++number, { seq: subscribedUs })]);
    const late = traceIdOf(number);
    await expect.poll(() => received).toContain(late);
    await remote.append([aDocument(++number, { seq: now() })]);
    await expect.poll(() => received).toContain(traceIdOf(number));
    expect(received.filter((id) => id === late)).toEqual([late]);
  });

  test('the store is polled while there are subscribers, and again after a failure', async () => {
    let isUnreachable = true;
    const query = vi.fn((...[statement, options]: Parameters<Store['query']>) =>
      isUnreachable ? Promise.reject(new Error('unreachable')) : local.query(statement, options),
    );
    const { received, unsubscribe } = listen({ ...local, query: query as Store['query'] });
    await expect.poll(() => query.mock.calls.length).toBeGreaterThan(0);
    isUnreachable = false;
    await remote.append([aDocument(++number, { seq: now() })]);
    await expect.poll(() => received).toContain(traceIdOf(number));
    unsubscribe();
    await notifications.close();
    const callCount = query.mock.calls.length;
    await remote.append([aDocument(++number, { seq: now() })]);
    expect(query.mock.calls.length).toBe(callCount);
  });
});
