import type { ScalarTag } from 'yaml';
import { ExactNumber } from '../../model/exact-number.ts';
import type { JsonValue } from '../../model/json.ts';

/*
 * Numbers as SAM's parser reads and prints them, which decides the text that a function gets: `1.0` stays 1.0, an account
 * id such as 000123456789 is a text, since 8 and 9 are no octal digits, and integers have any number of digits. A number
 * that JavaScript prints otherwise becomes an `ExactNumber`.
 */

/** Of PyYAML's resolver for YAML 1.1. An exponent needs a dot and a sign: `1e3` is a text. */
const INTEGER =
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** In place of the library's own tags for numbers. */
export const NUMBER_TAGS: readonly ScalarTag[] = [
  {
    tag: 'tag:yaml.org,2002:int',
    default: true,
    test: INTEGER,
    resolve: (text) => numberOfText(String(integerOf(text.replaceAll('_', '')))),
  },
  {
    tag: 'tag:yaml.org,2002:float',
    default: true,
    test: FLOAT,
    resolve: (text) => numberOfText(floatText(floatOf(text.replaceAll('_', '').toLowerCase()))),
  },
];

const MARK = '\u0000number:';
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** `JSON.parse`, with numbers as Python's parser gives them. Throws its SyntaxError. */
export function parseJsonAsPython(text: string): JsonValue {
  const value: JsonValue = JSON.parse(text);
  let hasMarks = false;
  const marked = text.replace(STRING_OR_NUMBER, (token) => {
    if (token.startsWith('"')) return token;
    const printed = /^-?\d+$/.test(token) ? String(BigInt(token)) : floatText(Number(token));
    if (typeof numberOfText(printed) === 'number') return token;
    hasMarks = true;
    return JSON.stringify(MARK + printed);
  });
  if (!hasMarks) return value;
  return JSON.parse(marked, (_name, member: unknown) =>
    typeof member === 'string' && member.startsWith(MARK) ? numberOfText(member.slice(MARK.length)) : member,
  );
}

/** A text where JSON has no number: `inf` and `nan`. */
function numberOfText(printed: string): JsonValue {
  const number = Number(printed);
  if (String(number) === printed) return number;
  return Number.isNaN(number) || printed.endsWith('inf') ? printed : new ExactNumber(printed);
}

function integerOf(text: string): bigint {
  const digits = text.replace(/^[-+]/, '');
  const size = /^0[0-7]+$/.test(digits) ? BigInt(`0o${digits}`) : digits.split(':').reduce(inSixties, 0n);
  return text.startsWith('-') ? -size : size;
}

const inSixties = (sum: bigint, part: string): bigint => sum * 60n + BigInt(part);

/** `text` is in lower case. */
function floatOf(text: string): number {
  const digits = text.replace(/^[-+]/, '');
  const size =
    digits === '.inf' ? Number.POSITIVE_INFINITY : digits.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return text.startsWith('-') ? -size : size;
}

/** As Python's `str` prints a float: always with a fraction or an exponent, the latter from 1e16 and below 1e-4. */
function floatText(float: number): string {
  if (Number.isNaN(float)) return 'nan';
  if (!Number.isFinite(float)) return float < 0 ? '-inf' : 'inf';
  if (Object.is(float, -0)) return '-0.0';
  const [mantissa = '', exponent = '0'] = float.toExponential().split('e');
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  const text = String(float);
  return text.includes('.') ? text : `${text}.0`;
}
