import { afterAll } from 'vitest';
import type { Store } from '../store.ts';
import { makeTestDirectory, openTestStore } from './open-test-store.ts';

/** An embedded store for all tests of a file. It is closed, and its directory removed, after the last one. */
export async function storeForThisFile(): Promise<Store> {
  const directory = await makeTestDirectory();
  const store = await openTestStore(directory.path);
  afterAll(async () => {
    await store.close();
    await directory.remove();
  });
  return store;
}
