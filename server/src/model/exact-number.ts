/**
 * A number of JSON that a double cannot hold: 9007199254740993, 0.1234567890123456789, 1e400, -0. All other numbers are
 * plain ones, so that the digits of both decide a comparison. A class, because `JSON.stringify` calls `toJSON`.
 */
export class ExactNumber {
  /** As it was sent; valid in JSON. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  /** The nearest double, null beyond the range of doubles. Only `printJson` prints all digits. */
  toJSON(): unknown {
    return markedText?.(this.text) ?? Number(this.text);
  }
}

/** Set while `printJson` runs: gives the text in whose place it prints the number. */
let markedText: ((number: string) => string) | undefined;

/** Runs `print` with a `toJSON` that gives `marked(text)` for an exact number. */
export function withMarkedNumbers(marked: (number: string) => string, print: () => string): string {
  markedText = marked;
  try {
    return print();
  } finally {
    markedText = undefined;
  }
}

export type AnyNumber = number | ExactNumber;

export function isNumber(value: unknown): value is AnyNumber {
  return typeof value === 'number' || value instanceof ExactNumber;
}

/** The number of a text that is one in JSON. */
export function numberOf(text: string): AnyNumber {
  return isDouble(text) ? Number(text) : new ExactNumber(text);
}

/** The nearest double, ±Infinity beyond the range of doubles. */
export function doubleOf(number: AnyNumber): number {
  return typeof number === 'number' ? number : Number(number.text);
}

/** Whether printing the nearest double gives the same value. A zero with a sign is printed without it. */
export function isDouble(text: string): boolean {
  const double = Number(text);
  const printed = String(double);
  if (printed === text) return true;
  if (!Number.isFinite(double) || Object.is(double, -0)) return false;
  return compareDecimals(decimalOf(printed), decimalOf(text)) === 0;
}

/** Below 0, 0 or above 0, by the value of all digits: 1.0 equals 1, and -0 equals 0. */
export function compareNumbers(a: AnyNumber, b: AnyNumber): number {
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : a > b ? 1 : 0;
  return compareDecimals(decimalOfNumber(a), decimalOfNumber(b));
}

/** Equal for equal numbers, and as `String` prints a plain number of that value. */
export function canonicalText(number: AnyNumber): string {
  if (typeof number === 'number') return String(number);
  const { isNegative, digits, order } = decimalOfNumber(number);
  if (digits === '') return '0';
  return `${isNegative ? '-' : ''}${unsignedText(digits, order)}`;
}

/** The digits of an integer, undefined for any other number and beyond `maxDigits`. */
export function integerText(number: ExactNumber, maxDigits: number): string | undefined {
  const { isNegative, digits, order } = decimalOfNumber(number);
  if (digits === '' || order < digits.length || order > maxDigits) return undefined;
  return `${isNegative ? '-' : ''}${digits.padEnd(Number(order), '0')}`;
}

/** The value is 0.DIGITS × 10^order. Zero has no digits; other numbers neither begin nor end with a zero. */
type Decimal = { readonly isNegative: boolean; readonly digits: string; readonly order: number | bigint };

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** An exponent with more digits is a bigint: a double would round it. */
const SAFE_DIGITS = 15;

const decimals = new WeakMap<ExactNumber, Decimal>();

function decimalOfNumber(number: AnyNumber): Decimal {
  if (typeof number === 'number') return decimalOf(String(number));
  const known = decimals.get(number) ?? decimalOf(number.text);
  decimals.set(number, known);
  return known;
}

function decimalOf(text: string): Decimal {
  const [, sign, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? [];
  const all = whole + fraction;
  let first = 0;
  while (all.charCodeAt(first) === ZERO) first++;
  let end = all.length;
  while (end > first && all.charCodeAt(end - 1) === ZERO) end--;
  const point = whole.length - first;
  const order = exponent.length <= SAFE_DIGITS ? Number(exponent) + point : BigInt(exponent) + BigInt(point);
  return { isNegative: sign === '-', digits: all.slice(first, end), order };
}

const ZERO = 48;

function compareDecimals(a: Decimal, b: Decimal): number {
  const sign = signOf(a);
  if (sign !== signOf(b)) return sign - signOf(b);
  if (sign === 0) return 0;
  return sign > 0 ? compareSizes(a, b) : compareSizes(b, a);
}

const signOf = ({ isNegative, digits }: Decimal): number => (digits === '' ? 0 : isNegative ? -1 : 1);

function compareSizes(a: Decimal, b: Decimal): number {
  if (a.order !== b.order) {
    if (a.order < b.order) return -1;
    if (a.order > b.order) return 1;
  }
  return a.digits < b.digits ? -1 : a.digits > b.digits ? 1 : 0;
}

/** The rules of JavaScript: an exponent from 1e21 and below 1e-6. */
function unsignedText(digits: string, order: number | bigint): string {
  if (order > 21 || order <= -6) {
    const exponent = BigInt(order) - 1n;
    const mantissa = digits.length === 1 ? digits : `${digits.slice(0, 1)}.${digits.slice(1)}`;
    return `${mantissa}e${exponent < 0n ? '' : '+'}${exponent}`;
  }
  const point = Number(order);
  if (point >= digits.length) return digits.padEnd(point, '0');
  return point > 0 ? `${digits.slice(0, point)}.${digits.slice(point)}` : `0.${'0'.repeat(-point)}${digits}`;
}
