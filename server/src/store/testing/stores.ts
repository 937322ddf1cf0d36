import { join } from 'node:path';
import type { StoreOptions } from '../open-store.ts';
import type { Store } from '../store.ts';
import { startClickHouse } from './clickhouse-server.ts';
import { makeTestDirectory, openTestStore, restoreTestStore, type TestDirectory } from './open-test-store.ts';

/** An empty location for data. `open` opens a store in it; embedded stores one after the other. */
export type StoreLocation = {
  open(given?: Partial<StoreOptions>): Promise<Store>;
  /** Another empty location, into which a backup of this one can be restored. */
  forRestore(): Promise<StoreLocation & { restore(name: string, given?: Partial<StoreOptions>): Promise<void> }>;
  remove(): Promise<void>;
};

/** Every kind of store. */
export const STORES: readonly { readonly name: string; make(): Promise<StoreLocation> }[] = [
  { name: 'embedded store', make: makeEmbedded },
  { name: 'remote store', make: () => makeRemote(1, '?compression=1') },
  { name: 'store of two shards', make: () => makeRemote(2, '') },
];

/** An embedded store as a server opens it: an acknowledged document can be read after a flush. */
export const EMBEDDED_WITH_JOURNAL = { name: 'embedded store with a journal', make: makeEmbeddedWithJournal };

async function makeEmbeddedWithJournal(): Promise<StoreLocation> {
  return withJournal(await makeEmbedded());
}

function withJournal<Location extends StoreLocation>(location: Location): Location {
  return {
    ...location,
    open: (given?: Partial<StoreOptions>) => location.open({ journal: true, ...given }),
    forRestore: async () => withJournal(await location.forRestore()),
  };
}

/** For a busy machine. A question of a user waits for less. */
const FLUSH = { timeoutMs: 60_000 };

/** Each query of a test begins with a flush, as each question of a user does. */
export function flushingFirst(location: StoreLocation): StoreLocation {
  return {
    ...location,
    async open(given) {
      const store = await location.open(given);
      return {
        ...store,
        async query(statement, options) {
          await store.flush(FLUSH);
          return store.query(statement, options);
        },
        async usage(options) {
          await store.flush(FLUSH);
          return store.usage(options);
        },
      };
    },
  };
}

async function makeEmbedded(): Promise<StoreLocation> {
  return makeEmbeddedWith(undefined);
}

async function makeEmbeddedWith(backups: string | undefined) {
  const directory = await makeTestDirectory();
  const backupDir = backups ?? join(directory.path, 'backups');
  return {
    open: (given: Partial<StoreOptions> = {}) => openTestStore(directory.path, { backupDir, ...given }),
    restore: (name: string, given: Partial<StoreOptions> = {}) =>
      restoreTestStore(name, directory.path, { backupDir, ...given }),
    forRestore: () => makeEmbeddedWith(backupDir),
    remove: directory.remove,
  };
}

async function makeRemote(shards: number, parameters: string): Promise<StoreLocation> {
  const backups = await makeTestDirectory();
  return makeRemoteWith(backups, shards, parameters);
}

async function makeRemoteWith(backups: TestDirectory, shards: number, parameters: string) {
  const clickhouse = await startClickHouse(shards, undefined, backups.path);
  const storeUrl = `${clickhouse.url}${parameters}`;
  return {
    open: (given: Partial<StoreOptions> = {}) => openTestStore('', { storeUrl, ...given }),
    restore: (name: string, given: Partial<StoreOptions> = {}) => restoreTestStore(name, '', { storeUrl, ...given }),
    forRestore: () => makeRemoteWith(backups, shards, parameters),
    async remove() {
      await clickhouse.stop();
      await backups.remove();
    },
  };
}
