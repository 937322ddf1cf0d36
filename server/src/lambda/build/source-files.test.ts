import { expect, test } from 'vitest';
import { writeFiles } from '../testing/local-lambda.ts';
import { sourceFiles } from './source-files.ts';

test('source files are not in installed, built or hidden folders, unless the folder itself is given', async () => {
  const names = ['index.js', 'lib/a.js', '.env', '.cache/b', 'lib/.data/c', 'node_modules/d/index.js', 'dist/e.js'];
  const dir = await writeFiles(Object.fromEntries(names.map((name) => [name, 'x'])));
  const found = (...folders: readonly string[]) =>
    sourceFiles(folders.map((folder) => `${dir}/${folder}`)).map(({ path }) => path.slice(dir.length + 1));
  expect(sourceFiles([dir]).map(({ path }) => path.slice(dir.length + 1))).toEqual(['.env', 'index.js', 'lib/a.js']);
  expect(found('.cache', 'lib', 'missing')).toEqual(['.cache/b', 'lib/a.js']);
});
