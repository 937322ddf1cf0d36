import { expect, test } from 'vitest';
import { writeFiles } from '../testing/local-functions.ts';
import { sourceFiles } from './source-files.ts';

test('sources are what a person writes: neither installed nor built nor hidden folders, unless they are named', async () => {
  const names = ['index.js', 'lib/a.js', '.env', '.cache/b', 'lib/.data/c', 'node_modules/d/index.js', 'dist/e.js'];
  const dir = await writeFiles(Object.fromEntries(names.map((name) => [name, 'x'])));
  const found = (...places: readonly string[]) =>
    sourceFiles(places.map((place) => `${dir}/${place}`)).map(({ path }) => path.slice(dir.length + 1));
  expect(sourceFiles([dir]).map(({ path }) => path.slice(dir.length + 1))).toEqual(['.env', 'index.js', 'lib/a.js']);
  expect(found('.cache', 'lib', 'gone')).toEqual(['.cache/b', 'lib/a.js']);
});
