import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Document } from '../../model/entity.ts';
import { spanWriter } from '../../model/otlp/documents/stored-spans.ts';
import { arbitrarySpan } from '../../model/testing/arbitrary-span.ts';
import { MIGRATIONS } from '../../package/files.ts';
import { BODY_BYTES, bodyBytesOf } from '../body-bytes.ts';
import {
  bodyBytesOfRow,
  DOCUMENT_ROW,
  type EncodedDocumentRow,
  readDocumentRow,
  storedTextOf,
} from '../document-row.ts';
import type { Columns, Engine } from '../engine/engine.ts';
import { backUp } from '../maintenance/backup.ts';
import { openEngine } from '../open-store.ts';
import { createRowBuffer, writtenBytes } from '../row-binary.ts';
import { parseRows, renderSql, type Sql, sql } from '../sql.ts';
import type { Store } from '../store.ts';
import { aDocument, entityIdOf, traceIdOf } from '../testing/documents.ts';
import {
  UNPACKED_COLUMNS,
  UNSPLIT_COLUMNS,
  writeUnpackedDocument,
  writeUnsplitDocument,
} from '../testing/former-rows.ts';
import {
  makeTestDirectory,
  openTestStore,
  restoreTestStore,
  type TestDirectory,
  testOptions,
} from '../testing/open-test-store.ts';
import { rowBlocksOf } from '../write/block.ts';
import { writeEntities } from '../write/rows.ts';
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

type FormerRows = { readonly columns: Columns; readonly write: typeof writeUnpackedDocument };

/** As servers before migrations 0011 and 0013. */
const UNPACKED: FormerRows = { columns: UNPACKED_COLUMNS, write: writeUnpackedDocument };
const UNSPLIT: FormerRows = { columns: UNSPLIT_COLUMNS, write: writeUnsplitDocument };

async function insertDocuments(engine: Engine, documents: readonly Document[], rowsOf = UNPACKED): Promise<void> {
  const rows = { entities: createRowBuffer(), documents: createRowBuffer() };
  for (const document of documents) {
    writeEntities(rows.entities, document);
    rowsOf.write(rows.documents, document);
  }
  const bytes = { entities: writtenBytes(rows.entities), documents: writtenBytes(rows.documents) };
  for (const block of rowBlocksOf(bytes, `block-${documents[0]?.id}`)) {
    await engine.insert(block.table === 'documents' ? { ...block, columns: rowsOf.columns } : block);
  }
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
  await insertDocuments(
    engine,
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => aDocument(number)),
  );
  await insertDocuments(
    engine,
    [10, 11, 12, 13, 14, 15].map((number) => aDocument(number)),
  );
  const before = await answersOf(query);
  expect(before).not.toContainEqual([]);

  await engine.command(renderSql(sql`SYSTEM STOP MERGES entities`), CALL);
  await migrate(engine, migrations);
  expect(await query(UNFINISHED)).not.toEqual([]);
  expect(await answersOf(query)).toEqual(before);
  await insertDocuments(
    engine,
    [16, 17].map((number) => aDocument(number)),
  );
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

/** Spans as SDKs send them, which are packed, and spans with all that is rare. */
const SPANS = [
  ...fc.sample(arbitrarySpan, { numRuns: 60, seed: 3 }),
  ...Array.from({ length: 60 }, (_, index) => ({
    resource: { attributes: [{ key: 'service.name', value: { stringValue: `shop-${index % 3}` } }] },
    resourceSchemaUrl: undefined,
    scope: {},
    scopeSchemaUrl: undefined,
    span: {
      traceId: traceIdOf(Math.floor(index / 6)),
      spanId: entityIdOf(index + 1),
      ...(index % 6 > 0 && { parentSpanId: entityIdOf(index) }),
      name: 'x'.repeat(1 + index * 3),
      kind: 1 + (index % 5),
      startTimeUnixNano: `17900000000000000${String(index).padStart(2, '0')}`,
      endTimeUnixNano: `17900000000012345${String(index).padStart(2, '0')}`,
      attributes: [{ key: 'tenant', value: { stringValue: 'y'.repeat(index) } }],
    },
  })),
];

const FIRST_SEQ = 1_790_000_000_000_000;
const LATER_SEQ = FIRST_SEQ + 1_000;
const spansFrom = (firstSeq: number) =>
  SPANS.map(({ span, ...around }, index) => spanWriter(around, new Set())(span, firstSeq + index));

async function expectSpans(store: Store, documents: readonly Document[]): Promise<void> {
  const rows = await store.query<EncodedDocumentRow & { bytes: number }>(sql`
    SELECT ${DOCUMENT_ROW}, ${BODY_BYTES} AS bytes FROM documents WHERE format != 'xray' ORDER BY seq`);
  const read = rows.map(({ bytes, ...encoded }) => ({ bytes, row: readDocumentRow(encoded) }));
  expect(read.map(({ bytes, row }) => [row.seq, storedTextOf(row).text, bytes, bodyBytesOfRow(row)])).toEqual(
    documents.map((document) => [document.seq, document.text, bodyBytesOf(document), bodyBytesOf(document)]),
  );
}

test.each<[string, number, FormerRows]>([
  ['without packed spans', 10, UNPACKED],
  ['without shapes', 12, UNSPLIT],
])(
  'spans of a version %s and of this one are read alike, byte for byte, and have the same lengths',
  async (...given) => {
    const [, lastMigration, formerRows] = given;
    const migrations = await readMigrations(MIGRATIONS);
    const backupDir = join(directory.path, 'backups');
    const engine = await openEngine(testOptions(directory.path, { backupDir }));
    await migrate(
      engine,
      migrations.filter(({ number }) => number <= lastMigration),
    );
    const older = spansFrom(FIRST_SEQ);
    await insertDocuments(engine, [...older, aDocument(1)], formerRows);
    for await (const _ of backUp(engine, { name: 'older', signal: AbortSignal.timeout(60_000) }));
    await engine.close();

    const store = await openTestStore(directory.path);
    const newer = spansFrom(LATER_SEQ);
    await store.append(newer);
    await expectSpans(store, [...older, ...newer]);
    const areMany = sql`SELECT countIf(shape = '') > 100 AS former, countIf(shape != '') > 40 AS split FROM documents`;
    expect(await store.query(areMany)).toEqual([{ former: 1, split: 1 }]);
    await store.command(sql`OPTIMIZE TABLE documents FINAL`);
    await expectSpans(store, [...older, ...newer]);
    await store.close();

    const other = await makeTestDirectory();
    await restoreTestStore('older', other.path, { backupDir });
    const restored = await openTestStore(other.path);
    await restored.append(newer);
    await expectSpans(restored, [...older, ...newer]);
    await restored.close();
    await other.remove();
  },
);
