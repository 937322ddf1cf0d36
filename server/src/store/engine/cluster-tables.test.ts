import { expect, test } from 'vitest';
import { MIGRATIONS } from '../../package/files.ts';
import { readMigrations } from '../schema/migrate.ts';
import { sql } from '../sql.ts';
import { makeTestDirectory, openTestStore } from '../testing/open-test-store.ts';
import { clusterStatements } from './cluster-tables.ts';

const REPLICATED = { name: 'main', isReplicated: true, database: 'openray' };

test.each([
  { name: 'replicated', cluster: REPLICATED },
  { name: 'plain', cluster: { ...REPLICATED, isReplicated: false } },
])('every migration has statements for a $name cluster', async ({ name, cluster }) => {
  const migrations = await readMigrations(MIGRATIONS);
  const statements = migrations.flatMap((migration) => [
    `-- ${migration.name}`,
    ...migration.statements.flatMap((statement) => clusterStatements(statement, cluster) ?? [statement]),
  ]);
  await expect(`${statements.join(';\n\n')};\n`).toMatchFileSnapshot(`golden/schema-on-a-${name}-cluster.sql`);
});

test('ClickHouse parses every statement of a replicated cluster, which no test can run', async () => {
  const directory = await makeTestDirectory();
  const store = await openTestStore(directory.path);
  const migrations = await readMigrations(MIGRATIONS);
  for (const statement of [...migrations.flatMap(({ statements }) => statements), BACKUP, RESTORE, DELETE]) {
    for (const query of clusterStatements(statement, REPLICATED) ?? []) {
      const rows = await store.query<{ explain: string }>({ ...sql``, texts: [`EXPLAIN AST ${query}`] });
      expect(rows[0]?.explain).toMatch(/^(Create|Alter|Backup|Restore|Delete)/);
    }
  }
  await store.close();
  await directory.remove();
});

test('rows with the same key are on one shard', () => {
  const [, distributed] = clusterStatements(
    `CREATE TABLE IF NOT EXISTS minutes (minute UInt32, node String, version UInt64, body String)
     ENGINE = ReplacingMergeTree(version) ORDER BY (minute, node)`,
    REPLICATED,
  ) as readonly string[];
  expect(distributed).toContain("Distributed('main', 'openray', 'minutes_local', cityHash64(minute, node))");
});

test('an engine keeps its own arguments after those of replication', () => {
  const [local] = clusterStatements(
    'CREATE TABLE IF NOT EXISTS t (a UInt8) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY a',
    REPLICATED,
  ) as readonly string[];
  expect(local).toContain(
    "ENGINE = ReplicatedReplacingMergeTree('/openray/{database}/{table}/{shard}', '{replica}', version, is_deleted)",
  );
});

test('only changes of columns apply to the distributed table', () => {
  expect(
    clusterStatements(
      "ALTER TABLE t ADD COLUMN IF NOT EXISTS a Map(String, Array(UInt8)) DEFAULT map('x,y', [1, 2]), ADD INDEX i a TYPE minmax, MODIFY ORDER BY (b, a)",
      REPLICATED,
    ),
  ).toEqual([
    "ALTER TABLE openray.t_local ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS a Map(String, Array(UInt8)) DEFAULT map('x,y', [1, 2]), ADD INDEX i a TYPE minmax, MODIFY ORDER BY (b, a)",
    "ALTER TABLE openray.t ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS a Map(String, Array(UInt8)) DEFAULT map('x,y', [1, 2])",
  ]);
});

const BACKUP = "BACKUP TABLE t AS openray.t TO Disk('s3', 'monday/t') SETTINGS id = 'one' ASYNC";
const RESTORE = "RESTORE TABLE openray.t AS t FROM Disk('s3', 'monday/t') SETTINGS id = 'one' ASYNC";

const DELETE = 'DELETE FROM t IN PARTITION 7 WHERE cityHash64(trace_id) % 3 = 1';

test('rows are deleted on each shard', () => {
  expect(clusterStatements(DELETE, REPLICATED)).toEqual([
    "DELETE FROM openray.t_local ON CLUSTER 'main' IN PARTITION 7 WHERE cityHash64(trace_id) % 3 = 1",
  ]);
});

test('a backup copies the rows of each shard', () => {
  expect([BACKUP, RESTORE].flatMap((text) => clusterStatements(text, { ...REPLICATED, database: 'mine' }))).toEqual([
    "BACKUP TABLE mine.t_local AS openray.t_local ON CLUSTER 'main' TO Disk('s3', 'monday/t') SETTINGS id = 'one' ASYNC",
    "RESTORE TABLE openray.t_local AS mine.t_local ON CLUSTER 'main' FROM Disk('s3', 'monday/t') SETTINGS id = 'one' ASYNC",
  ]);
});

test.each(['SELECT 1', "INSERT INTO t VALUES ('CREATE TABLE')", '-- why\nKILL QUERY WHERE 1'])(
  '%s runs once',
  (text) => {
    expect(clusterStatements(text, REPLICATED)).toBeUndefined();
  },
);

test.each([
  'CREATE TABLE t (a UInt8) ENGINE = Memory',
  'CREATE TABLE IF NOT EXISTS t (a UInt8) ENGINE = Memory',
  'CREATE MATERIALIZED VIEW IF NOT EXISTS v TO t AS SELECT 1',
  'DROP TABLE t',
])('%s is rejected on a cluster', (text) => {
  expect(() => clusterStatements(text, REPLICATED)).toThrow('no cluster');
});
