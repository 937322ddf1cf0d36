import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acquireLease, listObjects, readObject, releaseLease, replaceObject } from './objects.ts';
import type { Store } from './store.ts';
import { STORES, type StoreLocation } from './testing/stores.ts';

describe.each(STORES)('objects of the $name', ({ make }) => {
  let location: StoreLocation;
  let store: Store;

  beforeAll(async () => {
    location = await make();
    store = await location.open();
  });

  afterAll(async () => {
    await store.close();
    await location.remove();
  });

  test('an object is created, replaced, deleted and created again', async () => {
    const name = { kind: 'group', name: "Robert'); DROP TABLE objects" };
    expect(await readObject(store, name)).toBeUndefined();
    expect(await replaceObject(store, name, undefined, 'one')).toBe(true);
    expect(await replaceObject(store, name, { version: 1, body: 'one' }, 'two')).toBe(true);
    expect(await readObject(store, name)).toEqual({ version: 2, body: 'two' });
    expect(await replaceObject(store, name, { version: 2, body: 'two' }, undefined)).toBe(true);
    expect(await readObject(store, name)).toEqual({ version: 3, body: undefined });
    expect(await listObjects(store, 'group')).toEqual([]);
    expect(await replaceObject(store, name, { version: 3, body: undefined }, 'four')).toBe(true);
    expect(await readObject(store, name)).toEqual({ version: 4, body: 'four' });
    await replaceObject(store, { kind: 'group', name: 'A' }, undefined, 'first');
    expect(await listObjects(store, 'group')).toEqual([
      { name: 'A', body: 'first' },
      { name: name.name, body: 'four' },
    ]);
  });

  test('of several replacements of one version one wins, even with equal bodies', async () => {
    const name = { kind: 'counter', name: 'races' };
    for (let round = 0; round < 5; round++) {
      const before = await readObject(store, name);
      const won = await Promise.all(Array.from({ length: 8 }, () => replaceObject(store, name, before, `${round}`)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await readObject(store, name)).toEqual({ version: round + 1, body: `${round}` });
    }
  });

  test('replacing an older version changes nothing', async () => {
    const name = { kind: 'counter', name: 'late' };
    await replaceObject(store, name, undefined, 'one');
    await replaceObject(store, name, { version: 1, body: 'one' }, 'two');
    expect(await replaceObject(store, name, undefined, 'late')).toBe(false);
    expect(await replaceObject(store, name, { version: 1, body: 'one' }, 'late')).toBe(false);
    expect(await readObject(store, name)).toEqual({ version: 2, body: 'two' });
  });

  test('a lease has one holder, who can renew it, until it expires or is released', async () => {
    const of = (holder: string, ttlMs = 60_000) => ({ name: 'pruning', holder, ttlMs });
    const acquired = await Promise.all(['a', 'b', 'c'].map((holder) => acquireLease(store, of(holder))));
    expect(acquired.filter(Boolean)).toHaveLength(1);
    const [winner, loser] = acquired[0] ? ['a', 'b'] : acquired[1] ? ['b', 'c'] : ['c', 'a'];
    expect(await acquireLease(store, of(winner as string))).toBe(true);
    expect(await acquireLease(store, of(loser as string))).toBe(false);
    await releaseLease(store, of(loser as string));
    expect(await acquireLease(store, of(loser as string))).toBe(false);
    await releaseLease(store, of(winner as string));
    expect(await acquireLease(store, of(loser as string, 0))).toBe(true);
    // The lease expired at once.
    expect(await acquireLease(store, of(winner as string))).toBe(true);
  });
});
