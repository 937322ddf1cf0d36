import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withoutLostTokens } from './insert-tokens.ts';

const fileOf = (lines: readonly string[], name = 'deduplication_log_1.txt') => ({
  name,
  text: lines.map((line) => `${line}\n`).join(''),
});

const CASES: readonly (readonly [
  what: string,
  lines: readonly string[],
  parts: readonly string[],
  kept: readonly string[],
])[] = [
  ['a token of a part that exists', ['1\t20000_1_1_0\ta'], ['20000_1_1_0'], ['1\t20000_1_1_0\ta']],
  ['a token of a part that was merged', ['1\t20000_2_2_0\ta'], ['20000_1_3_1'], ['1\t20000_2_2_0\ta']],
  ['a token of a part that was mutated', ['1\t20000_2_2_0\ta'], ['20000_2_2_0_7'], ['1\t20000_2_2_0\ta']],
  ['no token of a part that is missing', ['1\t20000_1_1_0\ta'], ['20000_2_2_0', '20001_1_1_0'], []],
  [
    'no token whose part gave its number to another',
    ['1\tall_1_1_0\ta', '1\tall_1_1_0\tb'],
    ['all_1_1_0'],
    ['1\tall_1_1_0\tb'],
  ],
  ['what was dropped', ['2\t20000_1_1_0\ta'], [], ['2\t20000_1_1_0\ta']],
];

test.each(CASES)('keeps %s', (_, lines, parts, kept) => {
  const files = withoutLostTokens([fileOf(lines)], parts);
  expect(files).toEqual(kept.length === lines.length ? [] : [fileOf(kept)]);
});

test('the log of all files decides, and only files that change are returned', () => {
  const files = [
    fileOf(['1\tall_1_1_0\ta', '1\tall_2_2_0\tb'], 'deduplication_log_1.txt'),
    fileOf(['1\tall_2_2_0\tc', '1\tall_3_3_0\td'], 'deduplication_log_2.txt'),
  ];
  expect(withoutLostTokens(files, ['all_1_3_1'])).toEqual([fileOf(['1\tall_1_1_0\ta'], 'deduplication_log_1.txt')]);
});

const arbitraryLine = fc.record({
  number: fc.integer({ min: 1, max: 50 }),
  token: fc.stringMatching(/^[0-9a-f]{1,8}$/),
});

test('a log that is cut at any byte keeps exactly its whole lines', () => {
  fc.assert(
    fc.property(fc.array(arbitraryLine, { maxLength: 10 }), fc.nat(), (entries, at) => {
      const lines = [
        ...new Map(entries.map(({ number, token }) => [number, `1\t7_${number}_${number}_0\t${token}`])).values(),
      ];
      const { name, text } = fileOf(lines);
      const cut = text.slice(0, at % (text.length + 1));
      const whole = cut.slice(0, cut.lastIndexOf('\n') + 1);
      expect(withoutLostTokens([{ name, text: cut }], ['7_1_50_3'])).toEqual(
        whole === cut ? [] : [{ name, text: whole }],
      );
    }),
  );
});
