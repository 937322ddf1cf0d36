import { expect, test } from 'vitest';
import { MIGRATIONS } from '../../package/files.ts';
import { readMigrations, splitStatements } from './migrate.ts';

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
