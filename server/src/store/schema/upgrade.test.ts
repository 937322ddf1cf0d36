import { afterEach, beforeEach, expect, test } from 'vitest';
import { MIGRATIONS } from '../../package/files.ts';
import type { Engine } from '../engine/engine.ts';
import { openEngine } from '../open-store.ts';
import { parseRows, renderSql, type Sql, sql } from '../sql.ts';
import { aDocument } from '../testing/documents.ts';
import { makeTestDirectory, openTestStore, type TestDirectory, testOptions } from '../testing/open-test-store.ts';
import { newBlock, rowBlocksOf } from '../write/block.ts';
import { writeDocument, writeEntities } from '../write/rows.ts';
import { migrate, readMigrations } from './migrate.ts';

/** A store of an earlier version is migrated while it answers. */

const CALL = { signal: undefined, timeoutMs: 60_000, maxMemoryBytes: 0 };
/** The last migration before parts have to be rewritten. */
const BEFORE_REWRITE = 9;

let directory: TestDirectory;

beforeEach(async () => {
  directory = await makeTestDirectory();
});

afterEach(() => directory.remove());

async function insertDocuments(engine: Engine, numbers: readonly number[]): Promise<void> {
  const block = newBlock();
  for (const number of numbers) {
    const document = aDocument(number);
    writeEntities(block.entities, document);
    writeDocument(block.documents, document);
  }
  for (const rows of rowBlocksOf(block, `block-${numbers[0]}`)) await engine.insert(rows);
}

/** Equality by the index, a range and a pattern over attributes, and the same over annotations. */
const QUESTIONS: readonly Sql[] = [
  sql`has(attributes, 'annotation.user_id=u5')`,
  sql`has(attributes, 'segment.aws.table_name=orders')`,
  sql`arrayExists(one -> startsWith(one, 'metadata.default.cart.total=')
    AND toFloat64OrNull(substring(one, length('metadata.default.cart.total=') + 1)) > 10, attributes)`,
  sql`arrayExists(one -> match(one, '^metadata.default.note=order .$'), attributes)`,
  sql`annotations_string['user_id'] = 'u7'`,
  sql`startsWith(annotations_string['user_id'], 'u1')`,
  sql`mapContains(annotations_number, 'items') AND annotations_number['items'] >= 3`,
  sql`mapContains(annotations_bool, 'isGold') AND annotations_bool['isGold']`,
];

/** Ids of the rows for which each condition holds. */
async function answersOf(query: (statement: Sql) => Promise<unknown>): Promise<readonly unknown[]> {
  const answers: unknown[] = [];
  for (const where of QUESTIONS)
    answers.push(await query(sql`SELECT hex(id) AS id FROM entities WHERE ${where} ORDER BY id`));
  return answers;
}

const UNFINISHED = sql`SELECT mutation_id FROM system.mutations WHERE database = 'openray' AND NOT is_done`;

test('parts of an earlier version answer alike before, while and after they are rewritten', async () => {
  const migrations = await readMigrations(MIGRATIONS);
  const engine = await openEngine(testOptions(directory.path));
  const query = async (statement: Sql) => parseRows<{ id: string }>(await engine.query(renderSql(statement), CALL));
  await migrate(
    engine,
    migrations.filter(({ number }) => number <= BEFORE_REWRITE),
  );
  await insertDocuments(engine, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await insertDocuments(engine, [10, 11, 12, 13, 14, 15]);
  const before = await answersOf(query);
  expect(before).not.toContainEqual([]);

  await engine.command(renderSql(sql`SYSTEM STOP MERGES entities`), CALL);
  await migrate(engine, migrations);
  expect(await query(UNFINISHED)).not.toEqual([]);
  expect(await answersOf(query)).toEqual(before);
  await insertDocuments(engine, [16, 17]);
  const withNewParts = await answersOf(query);
  expect(withNewParts).not.toEqual(before);
  await engine.close();

  const store = await openTestStore(directory.path);
  await expect.poll(() => store.query(UNFINISHED), { timeout: 60_000 }).toEqual([]);
  expect(await answersOf((statement) => store.query(statement))).toEqual(withNewParts);
  await store.command(sql`OPTIMIZE TABLE entities FINAL`);
  expect(await answersOf((statement) => store.query(statement))).toEqual(withNewParts);
  await store.close();
});
