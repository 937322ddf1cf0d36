import { randomUUID } from 'node:crypto';
import { readObject, replaceObject } from './objects.ts';
import type { Store } from './store.ts';

const STORE_ID = { kind: 'store', name: 'id' };

/** The id of a store, drawn at its first start. A backup has the id of its store. */
export async function readStoreId(database: Pick<Store, 'query' | 'command'>): Promise<string> {
  const stored = await readObject(database, STORE_ID);
  if (stored?.body !== undefined) return stored.body;
  await replaceObject(database, STORE_ID, stored, randomUUID());
  return readStoreId(database);
}
