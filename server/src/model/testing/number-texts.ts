import fc from 'fast-check';

const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`));
const integer = digits(25).map((text) => text.replace(/^0+(?=\d)/, ''));
const exponent = fc.oneof(
  fc.constant(''),
  fc.integer({ min: -400, max: 400 }).map((number) => `e${number}`),
  fc.integer({ min: 0, max: 12 }).map((number) => `E+${number}`),
);

const BOUNDARIES = [
  '0',
  '1',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '9223372036854775807',
  '1e400',
];

/** Numbers as JSON spells them, many beyond a double and close to one another. */
export const numberText: fc.Arbitrary<string> = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc
    .tuple(fc.constantFrom('', '-'), integer, fc.option(digits(25), { nil: undefined }), exponent)
    .map(([sign, whole, fraction, power]) => `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}${power}`),
  fc.tuple(fc.constantFrom('', '-'), fc.constantFrom(...BOUNDARIES)).map(([sign, text]) => `${sign}${text}`),
);
