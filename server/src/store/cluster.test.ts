import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { OpenrayError } from '../errors.ts';
import { idSql, traceIdsSql } from './ids.ts';
import { createRowBuffer, writtenBytes } from './row-binary.ts';
import { type Sql, sql } from './sql.ts';
import type { Store } from './store.ts';
import { type ClickHouseCluster, startClickHouse } from './testing/clickhouse-server.ts';
import { aDocument, traceIdOf } from './testing/documents.ts';
import { openTestStore } from './testing/open-test-store.ts';
import { DOCUMENT_COLUMNS, writeDocument } from './write/rows.ts';

/** Properties of a cluster: unreachable and added shards, several servers. Two shards, no replicas. */

let cluster: ClickHouseCluster;
let store: Store;

beforeEach(async () => {
  cluster = await startClickHouse(2);
  store = await openOn(cluster);
});

afterEach(async () => {
  await store.close();
  await cluster.stop();
});

const openOn = ({ url }: ClickHouseCluster) => openTestStore('', { storeUrl: url });
const numbered = (count: number, first = 0) => Array.from({ length: count }, (_, index) => aDocument(first + index));

async function countOf(counted: Store, table: Sql = sql`documents`): Promise<number> {
  const [row] = await counted.query<{ n: number }>(sql`SELECT count() AS n FROM ${table}`);
  return row?.n ?? -1;
}

/** Numbers of the traces on each shard. */
async function tracesByShard(): Promise<readonly (readonly number[])[]> {
  const rows = await store.query<{ shard: number; n: number }>(sql`
    SELECT _shard_num AS shard, toUInt64(reinterpretAsUInt128(reverse(trace_id))) AS n FROM documents ORDER BY n`);
  return [1, 2].map((shard) => rows.filter((row) => row.shard === shard).map(({ n }) => n));
}

const failureOf = (call: Promise<unknown>): Promise<OpenrayError> =>
  call.then(
    () => Promise.reject(new Error('it did not fail')),
    (thrown) => thrown,
  );

test('all rows of a trace are on one shard, and each shard has traces', async () => {
  await store.append(numbered(40));
  const [first = [], second = []] = await tracesByShard();
  expect(first.length).toBeGreaterThan(5);
  expect(second.length).toBeGreaterThan(5);
  const spread = await store.query(sql`
    SELECT trace_id FROM (
      SELECT trace_id, _shard_num AS shard FROM entities UNION ALL SELECT trace_id, _shard_num AS shard FROM documents
    ) GROUP BY trace_id HAVING uniqExact(shard) > 1`);
  expect(spread).toEqual([]);
});

test('without a shard a query fails or is marked as incomplete, unless it needs only the other shard', async () => {
  await store.append(numbered(40));
  const [here = []] = await tracesByShard();
  await cluster.shards[1]?.kill();

  const failure = await failureOf(countOf(store));
  expect(failure).toMatchObject({ code: 'ServiceUnavailable', retryAfterSeconds: 5 });

  const onIncomplete = vi.fn();
  const count = sql`SELECT count() AS n FROM documents`;
  expect(await store.query(count, { onIncomplete })).toEqual([{ n: here.length }]);
  expect(onIncomplete).toHaveBeenCalledTimes(1);

  const streamed: unknown[] = [];
  for await (const row of store.stream(sql`SELECT seq FROM documents`, { onIncomplete })) streamed.push(row);
  expect(streamed).toHaveLength(here.length);
  expect(onIncomplete).toHaveBeenCalledTimes(2);

  const ids = here.slice(0, 3).map(traceIdOf);
  const ofIds = sql`SELECT count() AS n FROM documents WHERE trace_id IN ${traceIdsSql(ids)}`;
  expect(await store.query(ofIds, { onIncomplete })).toEqual([{ n: 3 }]);
  expect(onIncomplete).toHaveBeenCalledTimes(2);

  await cluster.shards[1]?.start();
  expect(await store.query(count, { onIncomplete })).toEqual([{ n: 40 }]);
  expect(onIncomplete).toHaveBeenCalledTimes(2);
});

test('without a shard writes are refused with a delay, and acknowledged documents are not lost', async () => {
  await store.append(numbered(20));
  await cluster.shards[1]?.kill();
  const failure = await failureOf(store.append(numbered(20, 20)));
  expect(failure).toMatchObject({ code: 'ServiceUnavailable', retryAfterSeconds: 5 });
  await cluster.shards[1]?.start();
  await store.append(numbered(20, 40));
  const [here = [], there = []] = await tracesByShard();
  const stored = [...here, ...there].sort((a, b) => a - b);
  const acknowledged = numbered(60).filter((_, number) => number < 20 || number >= 40);
  expect(stored).toEqual(expect.arrayContaining(acknowledged.map((_, index) => (index < 20 ? index : index + 20))));
  expect(new Set(stored).size).toBe(stored.length);
  expect(store.statistics()).toMatchObject({ received: 60, stored: 40, refused: 20, queued: 0 });
});

test('writes wait for a shard that does not respond', async () => {
  await store.append(numbered(10));
  const [, shard] = cluster.shards;
  await shard?.pause();
  try {
    const appending = store.append(numbered(10, 10));
    await expect.poll(() => store.statistics().queued).toBe(10);
    const failure = await failureOf(store.query(sql`SELECT count() AS n FROM documents`, { timeoutMs: 300 }));
    expect(failure.code).toBe('QueryTimeout');
    expect(store.statistics().queued).toBe(10);
    shard?.resume();
    await appending;
    expect(await countOf(store)).toBe(20);
  } finally {
    shard?.resume();
  }
});

test.runIf(process.platform === 'linux')(
  'an insert ends in its time when a shard hangs, and its repeat stores each row once',
  async () => {
    const [, shard] = cluster.shards;
    const rows = createRowBuffer();
    for (const document of numbered(20)) writeDocument(rows, document, 1);
    const block = { table: 'documents', columns: DOCUMENT_COLUMNS, bytes: writtenBytes(rows), insertToken: 'once' };
    await shard?.pause();
    try {
      const startedMs = performance.now();
      expect(await failureOf(store.insert({ ...block, timeoutMs: 500 }))).toMatchObject({ code: 'QueryTimeout' });
      // The attempt, then at most two seconds in which its connection ends.
      expect(performance.now() - startedMs).toBeLessThan(3_000);
    } finally {
      shard?.resume();
    }
    await store.insert(block);
    expect(await countOf(store)).toBe(20);
  },
);

test('the repeat of an insert stores the rows that a shard lacks, although the shard knows its token', async () => {
  const rows = createRowBuffer();
  for (const document of numbered(40)) writeDocument(rows, document, 1);
  const block = { table: 'documents', columns: DOCUMENT_COLUMNS, bytes: writtenBytes(rows), insertToken: 'once' };
  await store.insert(block);
  // As after a kill of this shard between the write of the token and that of the part.
  const [part] = await store.query<{ path: string }>(sql`
    SELECT path FROM cluster('shards', system.parts) WHERE active AND table = 'documents_local' LIMIT 1`);
  await Promise.all(cluster.shards.map((shard) => shard.kill()));
  await rm(part?.path ?? '', { recursive: true });
  await Promise.all(cluster.shards.map((shard) => shard.start()));
  const remaining = await countOf(store);
  expect(remaining).toBeLessThan(40);

  await store.insert(block);
  expect(await countOf(store)).toBe(remaining);
  const repeats = { key: ['trace_id', 'id', 'seq'], among: sql`server = 1` };
  for (let round = 0; round < 2; round += 1) {
    await store.insert({ ...block, repeats });
    expect(await countOf(store)).toBe(40);
  }
});

test('queries use the next host when one cannot be reached', async () => {
  await store.append(numbered(40));
  const [, there = []] = await tracesByShard();
  await cluster.shards[0]?.kill();
  const onIncomplete = vi.fn();
  expect(await store.query(sql`SELECT count() AS n FROM documents`, { onIncomplete })).toEqual([{ n: there.length }]);
  expect(onIncomplete).toHaveBeenCalledTimes(1);
  await cluster.shards[1]?.kill();
  const failure = await failureOf(store.query(sql`SELECT 1`, { onIncomplete }));
  expect(failure).toMatchObject({ code: 'ServiceUnavailable', retryAfterSeconds: 5 });
  expect(failure.message).toMatch(/^ClickHouse cannot be reached: connect ECONNREFUSED/);
  await Promise.all(cluster.shards.map((shard) => shard.start()));
  expect(await countOf(store)).toBe(40);
});

test('versions that two servers received in the same microsecond are both kept', async () => {
  const other = await openOn(cluster);
  const document = aDocument(1);
  await store.append([{ ...document, text: '{"by":"one"}' }]);
  await other.append([{ ...document, text: '{"by":"other"}' }]);
  await store.append([{ ...document, text: '{"by":"one"}' }]);
  await store.command(sql`OPTIMIZE TABLE documents FINAL`);
  const bodies = await store.query(sql`
    SELECT body FROM documents WHERE trace_id = ${idSql(document.traceId)} ORDER BY body`);
  expect(bodies).toEqual([{ body: '{"by":"one"}' }, { body: '{"by":"other"}' }]);
  await other.close();
});

test('servers that start simultaneously create the tables once, and wait for ClickHouse', async () => {
  const empty = await startClickHouse(2);
  await Promise.all(empty.shards.map((shard) => shard.kill()));
  const warn = vi.fn();
  const opening = Array.from({ length: 3 }, () => openTestStore('', { storeUrl: empty.url, log: { info() {}, warn } }));
  await expect.poll(() => warn.mock.calls.length).toBeGreaterThan(0);
  await Promise.all(empty.shards.map((shard) => shard.start()));
  const stores = await Promise.all(opening);
  await Promise.all(stores.map((one, index) => one.append(numbered(5, index * 5))));
  for (const one of stores) expect(await countOf(one)).toBe(15);
  await Promise.all(stores.map((one) => one.close()));
  await empty.stop();
});

test('a wrong password fails at once with a clear message', async () => {
  const url = cluster.url.replace(/:[^:@/]+@/, ':wrong@');
  const failure = await failureOf(openTestStore('', { storeUrl: url }));
  expect(failure.code).toBe('StoreUnusable');
  expect(failure.message).toMatch(/^ClickHouse denied access to this user/);
  expect(failure.message).not.toContain('wrong');
});

test('after shards are added, older documents are found and newer ones are written to all shards', async () => {
  const growing = await startClickHouse(2);
  await growing.setShards(1);
  const before = await openOn(growing);
  await before.append(numbered(40));
  await before.close();

  await growing.setShards(2);
  const warn = vi.fn();
  const after = await openTestStore('', { storeUrl: growing.url, log: { info() {}, warn } });
  expect(warn).toHaveBeenCalledWith({}, expect.stringMatching(/^shards were added/));
  // Other documents of the same traces: some are on the new shard.
  await after.append(Array.from({ length: 40 }, (_, index) => aDocument(100 + index, { traceId: traceIdOf(index) })));
  expect(await after.query(sql`SELECT uniqExact(_shard_num) AS n FROM documents`)).toEqual([{ n: 2 }]);
  for (let number = 0; number < 40; number += 7) {
    const ofTrace = sql`SELECT count() AS n FROM documents WHERE trace_id IN ${traceIdsSql([traceIdOf(number)])}`;
    expect(await after.query(ofTrace)).toEqual([{ n: 2 }]);
  }
  const [both] = await after.query<{ n: number }>(sql`
    SELECT count() AS n FROM (SELECT trace_id FROM documents GROUP BY trace_id HAVING count() = 2)`);
  expect(both).toEqual({ n: 40 });
  // The rows with the attribute may be on another shard than the counted rows.
  const found = sql`
    SELECT uniqExact(trace_id) AS n FROM entities
    WHERE is_root AND trace_id IN (SELECT trace_id FROM entities WHERE has(attributes, 'annotation.user_id=u100'))`;
  expect(await after.query(found)).toEqual([{ n: 1 }]);
  await after.close();
  await growing.stop();
});
