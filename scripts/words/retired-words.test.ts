import { expect, test } from 'vitest';
import { checkedFiles, findingsIn } from './find-words.ts';

test('no name, comment or page uses a retired word', () => {
  const findings = checkedFiles().flatMap((file) => findingsIn(file));
  expect(findings.map(({ file, line, word, say }) => `${file}:${line} says "${word}"; say ${say}`)).toEqual([]);
});

test.each([
  ['const countedSeq = 1;', 'counted seq'],
  ['// It can not be read', 'can not'],
  ['export type ForwardParcel = {', 'parcel'],
])('finds the retired word in %s', (text, word) => {
  expect(findingsIn('server/src/model/x.ts', text)).toMatchObject([{ line: 1, word }]);
});

test.each([
  ['a.ts', '/** An id that can\n * not be read. */'],
  ['a.ts', '  // An id that can\n  // not be read.'],
  ['a.py', '# An id that can\n# not be read.'],
  ['a.sql', '-- An id that can\n-- not be read.'],
  ['a.md', 'An id that can\nnot be read.'],
])('finds a phrase that is broken over two lines of %s', (file, text) => {
  expect(findingsIn(file, text)).toMatchObject([{ line: 1, word: 'can not' }]);
});

test.each([
  ['a.ts', 'const can =\n  not(true);'],
  ['a.ts', '// where it can\nnot(true);'],
  ['a.md', 'as it can\n\nnot now'],
  ['a.md', 'as it can.\nNot now'],
])('finds no phrase over lines that do not belong together, in %s', (file, text) => {
  expect(findingsIn(file, text)).toEqual([]);
});

test('finds every use, with its line', () => {
  expect(findingsIn('a.json', '{\n  "door": "a door",\n  "fate": 1\n}')).toMatchObject([
    { line: 2, word: 'door' },
    { line: 2, word: 'door' },
    { line: 3, word: 'fate' },
  ]);
});

test('reads settings, SQL and pages beside recorded data, and no recorded or generated data', () => {
  const files = checkedFiles();
  const read = ['package.json', 'biome.json', 'server/migrations/0001_documents_and_entities.sql', 'Dockerfile'];
  expect(files).toEqual(expect.arrayContaining([...read, 'fixtures/xray-udp/README.md']));
  expect(files.filter((file) => /package-lock|\.jsonl$|\/golden\//.test(file))).toEqual([]);
});

test('a file name counts as text', () => {
  expect(findingsIn('server/src/ingest/doors.ts', '')).toMatchObject([{ line: 1, word: 'doors' }]);
});
