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

test('a file name counts as text', () => {
  expect(findingsIn('server/src/ingest/doors.ts', '')).toMatchObject([{ line: 1, word: 'doors' }]);
});
