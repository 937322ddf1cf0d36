import { expect, test } from 'vitest';
import { MIGRATIONS } from '../../package/files.ts';
import type { Engine } from '../engine/engine.ts';
import { openEngine } from '../open-store.ts';
import { parseRows, renderSql, sql } from '../sql.ts';
import { makeTestDirectory, testOptions } from '../testing/open-test-store.ts';
import { migrate, readMigrations, readSchema, splitStatements } from './migrate.ts';

test('statements end with a semicolon at the end of a line', () => {
  expect(splitStatements("-- one; two\nSELECT ';' AS a;\n\n-- about b\nSELECT 2\n;\n-- the end\n")).toEqual([
    "-- one; two\nSELECT ';' AS a",
    '-- about b\nSELECT 2',
  ]);
});

test('the numbers of the migrations ascend, and each migration can run again', async () => {
  const migrations = await readMigrations(MIGRATIONS);
  expect(migrations.length).toBeGreaterThan(0);
  const numbers = migrations.map(({ number }) => number);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  for (const { statements } of migrations) {
    for (const statement of statements) expect(statement).toMatch(/\bIF (NOT )?EXISTS\b|\bMODIFY SETTING\b/);
  }
});

const CALL = { signal: undefined, timeoutMs: 60_000, maxMemoryBytes: 0 };

/** The result of a function over an empty engine. */
async function withEngine<Result>(run: (engine: Engine) => Promise<Result>): Promise<Result> {
  const directory = await makeTestDirectory();
  const engine = await openEngine(testOptions(directory.path));
  try {
    return await run(engine);
  } finally {
    await engine.close();
    await directory.remove();
  }
}

async function rowsOf(engine: Engine, statement = TABLES): Promise<readonly object[]> {
  return parseRows<object>(await engine.query(renderSql(statement), CALL));
}

const TABLES = sql`
  SELECT name, formatQuery(create_table_query) AS statement FROM system.tables
  WHERE database = currentDatabase() ORDER BY name`;
const APPLIED = sql`SELECT number, name, checksum FROM migrations ORDER BY number`;

test('a new store has the tables that all migrations make, and records them', async () => {
  const migrations = await readMigrations(MIGRATIONS);
  const schema = await readSchema(MIGRATIONS);
  expect(migrations.map(({ number }) => number)).toContain(schema?.throughNumber);
  const migrated = await withEngine(async (engine) => {
    await migrate(engine, migrations);
    return { tables: await rowsOf(engine), applied: await rowsOf(engine, APPLIED) };
  });
  const made = await withEngine(async (engine) => {
    await migrate(engine, migrations, schema);
    return { tables: await rowsOf(engine), applied: await rowsOf(engine, APPLIED) };
  });
  expect(made).toEqual(migrated);
});

test('a start that was interrupted between the tables of a new store ends with the same tables', async () => {
  const migrations = await readMigrations(MIGRATIONS);
  const schema = await readSchema(MIGRATIONS);
  const statements = schema?.statements ?? [];
  const whole = await withEngine(async (engine) => {
    await migrate(engine, migrations, schema);
    return rowsOf(engine);
  });
  const interrupted = await withEngine(async (engine) => {
    let isDown = false;
    const command: Engine['command'] = async (statement, call) => {
      isDown ||= statement.query === statements[3];
      if (isDown) throw new Error('interrupted');
      await engine.command(statement, call);
    };
    await expect(migrate({ ...engine, command }, migrations, schema)).rejects.toThrow('interrupted');
    await migrate(engine, migrations, schema);
    return rowsOf(engine);
  });
  expect(interrupted).toEqual(whole);
});
