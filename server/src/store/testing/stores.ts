import type { StoreOptions } from '../open-store.ts';
import type { Store } from '../store.ts';
import { startClickHouse } from './clickhouse-server.ts';
import { makeTestDirectory, openTestStore } from './open-test-store.ts';

/** An empty place for data. `open` opens a store in it, one after the other. */
export type StorePlace = {
  open(given?: Partial<StoreOptions>): Promise<Store>;
  remove(): Promise<void>;
};

/** Every kind of store there is. */
export const STORES: readonly { readonly name: string; make(): Promise<StorePlace> }[] = [
  { name: 'embedded store', make: makeEmbedded },
  { name: 'remote store', make: () => makeRemote(1, '?compression=1') },
  { name: 'store of two shards', make: () => makeRemote(2, '') },
];

async function makeEmbedded(): Promise<StorePlace> {
  const directory = await makeTestDirectory();
  return { open: (given) => openTestStore(directory.path, given), remove: directory.remove };
}

async function makeRemote(shards: number, parameters: string): Promise<StorePlace> {
  const clickhouse = await startClickHouse(shards);
  const storeUrl = `${clickhouse.url}${parameters}`;
  return { open: (given) => openTestStore('', { storeUrl, ...given }), remove: clickhouse.stop };
}
