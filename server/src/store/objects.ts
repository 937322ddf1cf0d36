import { randomUUID } from 'node:crypto';
import { OpenrayError } from '../errors.ts';
import { sql } from './sql.ts';
import type { Store } from './store.ts';

/**
 * Small named values in the table `objects`. Several servers coordinate through them.
 *
 * ClickHouse has no compare-and-set. But of the inserts with one token only the first takes effect, on a replicated
 * table by way of Keeper. So a change from version 7 to 8 is an insert with a token that contains the name of the
 * object and the 8. The server that then reads its own writer id in version 8 has won.
 */
export type ObjectName = { readonly kind: string; readonly name: string };

export type StoredObject = {
  /** Starts at 1. */
  readonly version: number;
  /** Undefined when the object was deleted. */
  readonly body: string | undefined;
};

type Database = Pick<Store, 'query' | 'command'>;

/** Whether a call failed because ClickHouse is away: it restarts, cannot be reached, or does not answer in time. */
export function isStoreAway(thrown: unknown): boolean {
  return thrown instanceof OpenrayError && (thrown.code === 'ServiceUnavailable' || thrown.code === 'QueryTimeout');
}

/** All objects of a kind that are not deleted, by name. */
export async function listObjects(
  database: Database,
  kind: string,
): Promise<readonly { readonly name: string; readonly body: string }[]> {
  // Not FINAL: it merges versions of each shard only, and versions may be on several shards once shards were added.
  return database.query(sql`
    SELECT name, argMax(body, version) AS body FROM objects WHERE kind = ${kind}
    GROUP BY name HAVING argMax(is_deleted, version) = 0 ORDER BY name`);
}

/** Undefined if the object never existed. */
export async function readObject(database: Database, { kind, name }: ObjectName): Promise<StoredObject | undefined> {
  const [row] = await database.query<{ version: number; is_deleted: number; body: string }>(sql`
    SELECT version, is_deleted, body FROM objects WHERE kind = ${kind} AND name = ${name}
    ORDER BY version DESC LIMIT 1`);
  return row && { version: row.version, body: row.is_deleted === 1 ? undefined : row.body };
}

/** Another replica than the one that was written has a new version some milliseconds later. */
const REPLICATION_TIMEOUT_MS = 5_000;
const POLL_INTERVAL_MS = 20;

/**
 * Makes `body` the next version of an object, or deletes the object (undefined), if its version still is `before`, the
 * result of `readObject`. False when another server was first; then this call changed nothing.
 *
 * The engine remembers the tokens of the last thousand changes of any object. After more changes between reading and
 * replacing, the condition of the insert prevents a lost update.
 */
export async function replaceObject(
  database: Database,
  { kind, name }: ObjectName,
  before: StoredObject | undefined,
  body: string | undefined,
): Promise<boolean> {
  const writer = randomUUID();
  const known = before?.version ?? 0;
  const next = known + 1;
  await database.command(
    sql`
      INSERT INTO objects (kind, name, version, is_deleted, body, writer)
      SELECT ${kind}, ${name}, ${next}, ${body === undefined ? 1 : 0}, ${body ?? ''}, ${writer}
      WHERE (SELECT max(version) FROM objects WHERE kind = ${kind} AND name = ${name}) = ${known}`,
    { insertToken: `${kind}/${name}/${next}` },
  );
  const deadline = performance.now() + REPLICATION_TIMEOUT_MS;
  for (;;) {
    const versions = await database.query<{ version: number; writer: string }>(sql`
      SELECT version, writer FROM objects WHERE kind = ${kind} AND name = ${name} AND version >= ${next}`);
    if (versions.length > 0) return versions.some((row) => row.version === next && row.writer === writer);
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

export type LeaseRequest = {
  readonly name: string;
  /** Identifies the server. The holder's own lease is renewed. */
  readonly holder: string;
  readonly ttlMs: number;
};

/**
 * Whether `holder` has the lease for the next `ttlMs`. Acquires the lease if it is free or expired, by ClickHouse's
 * clock. For work that should run once but may run twice: a holder that stalls does not notice that its lease has
 * expired.
 */
export async function acquireLease(database: Database, { name, holder, ttlMs }: LeaseRequest): Promise<boolean> {
  const object = { kind: 'lease', name };
  const before = await readObject(database, object);
  const nowUs = await readClockUs(database);
  const lease: LeaseBody | undefined = before?.body === undefined ? undefined : JSON.parse(before.body);
  if (lease && lease.holder !== holder && lease.untilUs > nowUs) return false;
  const after: LeaseBody = { holder, untilUs: nowUs + ttlMs * 1000 };
  return replaceObject(database, object, before, JSON.stringify(after));
}

/** Frees the lease at once. Does nothing if `holder` does not have it. */
export async function releaseLease(database: Database, { name, holder }: Omit<LeaseRequest, 'ttlMs'>): Promise<void> {
  const object = { kind: 'lease', name };
  const before = await readObject(database, object);
  if (before?.body === undefined || (JSON.parse(before.body) as LeaseBody).holder !== holder) return;
  await replaceObject(database, object, before, undefined);
}

type LeaseBody = { readonly holder: string; readonly untilUs: number };

async function readClockUs(database: Database): Promise<number> {
  const [row] = await database.query<{ nowUs: number }>(sql`SELECT toUnixTimestamp64Micro(now64(6)) AS nowUs`);
  return row?.nowUs ?? 0;
}
