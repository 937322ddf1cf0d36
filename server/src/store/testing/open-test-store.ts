import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type StoreOptions } from '../open-store.ts';
import { restoreStore } from '../restore.ts';
import type { Store } from '../store.ts';

/** A small store for tests; embedded unless a URL is given. */
export function openTestStore(dataDir: string, given: Partial<StoreOptions> = {}): Promise<Store> {
  return openStore(testOptions(dataDir, given));
}

/** Restores a backup into the same kind of store. */
export async function restoreTestStore(name: string, dataDir: string, given: Partial<StoreOptions>): Promise<void> {
  for await (const copy of restoreStore(testOptions(dataDir, given), name)) void copy;
}

export function testOptions(dataDir: string, given: Partial<StoreOptions> = {}): StoreOptions {
  return {
    dataDir,
    poolSize: 4,
    maxQueryMs: 20_000,
    maxQueryMemoryBytes: 500_000_000,
    engineMemoryBytes: 1_000_000_000,
    queueMaxBytes: 64_000_000,
    recentMaxBytes: 64_000_000,
    // A test that appends may query at once.
    journal: false,
    retentionDays: 0,
    retentionBytes: 0,
    retentionTrustClock: false,
    fsync: false,
    backupDir: join(dataDir, 'backups'),
    log: { info() {}, warn() {} },
    ...given,
  };
}

/** A temporary directory. */
export type TestDirectory = { readonly path: string; remove(): Promise<void> };

export async function makeTestDirectory(): Promise<TestDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'openray-store-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
