import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalText, compareNumbers, ExactNumber, integerText, numberOf } from './exact-number.ts';
import { numberText } from './testing/number-texts.ts';

/** The value as a fraction of integers: an exact comparison that shares nothing with the one under test. */
function scaled(text: string, decimals: number): bigint {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const zeros = decimals + Number(exponent) - fraction.length;
  return BigInt(`${sign}${whole}${fraction}`) * 10n ** BigInt(zeros);
}

test('numbers compare as fractions of integers do', () => {
  fc.assert(
    fc.property(numberText, numberText, (a, b) => {
      const [first, second] = [scaled(a, 1000), scaled(b, 1000)];
      expect(Math.sign(compareNumbers(numberOf(a), numberOf(b)))).toBe(first < second ? -1 : first > second ? 1 : 0);
    }),
    { numRuns: 2000 },
  );
});

test('equal numbers have one canonical text, other numbers have another', () => {
  fc.assert(
    fc.property(numberText, numberText, (a, b) => {
      const isSameText = canonicalText(numberOf(a)) === canonicalText(numberOf(b));
      expect(isSameText).toBe(compareNumbers(numberOf(a), numberOf(b)) === 0);
      expect(compareNumbers(numberOf(canonicalText(numberOf(a))), numberOf(a))).toBe(0);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['1', '1.0', 0],
  ['-0', '0', 0],
  ['9007199254740992', '9007199254740993', -1],
  ['9007199254740993', '9007199254740993.0', 0],
  ['1e400', '1e401', -1],
  ['-1e400', '-1e401', 1],
  ['1e-400', '0', 1],
  ['-1e-400', '0', -1],
  ['1e400', '10E399', 0],
  ['1.0000000000000000001', '1', 1],
  ['1e99999999999999999999', '1e99999999999999999998', 1],
  ['1e-99999999999999999999', '1', -1],
])('%s and %s compare as %i', (a, b, expected) => {
  expect(Math.sign(compareNumbers(numberOf(a), numberOf(b)))).toBe(expected);
  expect(Math.sign(compareNumbers(numberOf(b), numberOf(a)))).toBe(0 - expected);
});

test.each([
  '9007199254740993',
  '1234567890123456789',
  '0.1234567890123456789012',
  '1E400',
  '1e-400',
  '-0',
  '-0.0',
  '1790161917.123456789',
  '100000000000000000000001',
])('a double cannot hold %s', (text) => {
  expect(numberOf(text)).toEqual(new ExactNumber(text));
});

test.each([
  '0',
  '1.50',
  '1e3',
  '1e21',
  '9007199254740992',
  '1.478293361271E9',
  '1790161917.1234567',
  '1.0000000000000000000',
])('a double holds %s', (text) => {
  expect(numberOf(text)).toBe(Number(text));
});

test('an integer of any spelling gives its digits', () => {
  expect(integerText(new ExactNumber('9007199254740993.0'), 19)).toBe('9007199254740993');
  expect(integerText(new ExactNumber('-900719925474099.3e1'), 19)).toBe('-9007199254740993');
  expect(integerText(new ExactNumber('90071992547409.93'), 19)).toBeUndefined();
  expect(integerText(new ExactNumber('1e400'), 19)).toBeUndefined();
});
