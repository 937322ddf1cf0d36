import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readFilter } from './parser.ts';
import { printFilter } from './print.ts';
import { arbitraryFilter } from './testing/arbitrary-filter.ts';
import { vocabularyFilter } from './vocabulary-filter.ts';

test.each([
  ['|', ''],
  ['fault|', ''],
  ['fault AND |', 'fault'],
  ['fault AND service("shop") AND annot|', 'fault AND service("shop")'],
  ['fault AND (error OR |', 'fault'],
  ['(fault AND |', ''],
  ['fault AND error OR |', ''],
  ['fault OR error AND |', 'fault OR error'],
  ['fault AND user = "an|', '(fault) AND (user CONTAINS "an")'],
  ['annotation.order = "o-4|', 'annotation.order CONTAINS "o-4"'],
  ['annotation.order = "o-4|" AND fault', 'annotation.order CONTAINS "o-4"'],
  ['annotation.order IN ("a", "b|', 'annotation.order CONTAINS "b"'],
  ['service("shop|', ''],
  ['service("shop") { fault AND |', ''],
  ['fault AND ORDER BY |', ''],
  ['fault AND nonsense = AND |', ''],
])('%j is answered from the traces of %j', (withCursor, expected) => {
  const offset = withCursor.indexOf('|');
  expect(vocabularyFilter(withCursor.replace('|', ''), offset)).toBe(expected);
});

test('it is valid at every position of any filter', () => {
  fc.assert(
    fc.property(arbitraryFilter, fc.nat(), (filter, at) => {
      const text = printFilter(filter);
      expect(readFilter(vocabularyFilter(text, at % (text.length + 1)))).toMatchObject({ ok: true });
    }),
    { numRuns: 300 },
  );
});
