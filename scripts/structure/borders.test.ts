import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withBorders, withTable } from './border-files.ts';
import { BORDERS, borderOf, mayImport } from './borders.ts';
import {
  fileCircles,
  folderStructure,
  foldersAbove,
  isForTests,
  REPOSITORY,
  readImports,
  sourceFiles,
} from './import-graph.ts';

const SOURCE = 'server/src/';
const files = sourceFiles('server/src');
const imports = readImports(files);

function read(file: string): string {
  return readFileSync(join(REPOSITORY, file), 'utf8');
}

test('every import of the server is one that the table of borders allows', () => {
  const forbidden = imports
    .map(({ from, to }) => ({ from: from.slice(SOURCE.length), to: to.slice(SOURCE.length) }))
    .filter(({ from, to }) => !mayImport(from, to));
  expect(forbidden).toEqual([]);
});

test('every file of the server is in a folder of the table, or may be imported by all', () => {
  const unknown = files.map((path) => path.slice(SOURCE.length)).filter((path) => borderOf(path) === undefined);
  expect(
    unknown.filter((path) => !['errors.ts', 'stats.ts'].includes(path) && !/^[a-z-]+\.test\.ts$/.test(path)),
  ).toEqual([]);
});

test('no row of the table allows an import that the code does not make', () => {
  const made = imports.map(({ from, to }) => ({
    row: borderOf(from.slice(SOURCE.length)),
    to: to.slice(SOURCE.length),
  }));
  const unused = BORDERS.flatMap((border) =>
    border.mayImport
      .filter((folder) => !made.some(({ row, to }) => row === border && (to === folder || to.startsWith(`${folder}/`))))
      .map((folder) => `${border.folder} -> ${folder}`),
  );
  expect(unused).toEqual([]);
});

test('a folder imports from rows above it', () => {
  const order = BORDERS.map(({ folder }) => folder);
  const upward = BORDERS.flatMap(({ folder, mayImport: allowed, because = {} }) =>
    allowed
      .filter((to) => order.indexOf(to) > order.indexOf(folder) && !(to in because))
      .map((to) => `${folder} -> ${to}`),
  );
  expect(upward).toEqual([]);
});

test('the linter and the architecture page have the same table', () => {
  expect(JSON.parse(read('biome.json'))).toEqual(JSON.parse(withBorders(read('biome.json'))));
  expect(read('docs/architecture.md')).toBe(withTable(read('docs/architecture.md')));
});

test('no file imports itself by way of others, type imports included', () => {
  expect(fileCircles(imports)).toEqual([]);
});

test('no folder of the server has a circle between its files and rooms', () => {
  const sources = files.filter((file) => !isForTests(file));
  const folders = new Set(sources.flatMap((file) => foldersAbove(file)));
  const circles = [...folders].flatMap((folder) => folderStructure(folder, imports, sources).circles);
  expect(circles).toEqual([]);
});

test('the product imports no builder of tests', () => {
  const wrong = imports.filter(({ from, to }) => !isForTests(from) && isForTests(to));
  expect(wrong).toEqual([]);
});

test('the rooms of lambda/ have no circle and at most five levels', () => {
  const sources = files.filter((file) => !isForTests(file));
  const { circles, levels } = folderStructure('server/src/lambda', imports, sources);
  expect(circles).toEqual([]);
  expect(levels).toBeLessThanOrEqual(5);
});
