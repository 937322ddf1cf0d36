import { compareNumbers, isNumber } from '../model/exact-number.ts';
import type { JsonValue } from '../model/json.ts';
import type { Comparison, Literal, Operator } from './ast.ts';
import { compilePattern, type Pattern } from './pattern.ts';

/**
 * Whether the comparison holds for a stored value. It never holds for a value of another type than the wanted one,
 * not even with `!=`. Booleans may be written as `"true"` and `"false"`.
 */
export function compares(stored: JsonValue, comparison: Comparison): boolean {
  const { operator } = comparison;
  const { value } = comparison.value;
  if (isNumber(value)) return isNumber(stored) && comparesNumbers(compareNumbers(stored, value), operator);
  const wanted = sameType(stored, value);
  if (wanted === undefined) return false;
  if (operator === '=') return stored === wanted;
  if (operator === '!=') return stored !== wanted;
  if (typeof stored === 'string' && typeof wanted === 'string') return comparesStrings(stored, wanted, comparison);
  return false;
}

export function equals(stored: JsonValue, wanted: Literal['value']): boolean {
  if (isNumber(wanted)) return isNumber(stored) && compareNumbers(stored, wanted) === 0;
  return stored === sameType(stored, wanted);
}

function sameType(stored: JsonValue, wanted: string | boolean): string | boolean | undefined {
  if (typeof stored === typeof wanted) return wanted;
  if (typeof stored === 'boolean' && (wanted === 'true' || wanted === 'false')) return wanted === 'true';
  return undefined;
}

/** `difference`: that of the stored number to the wanted one, of which only the sign counts. */
function comparesNumbers(difference: number, operator: Operator): boolean {
  switch (operator) {
    case '=':
      return difference === 0;
    case '!=':
      return difference !== 0;
    case '<':
      return difference < 0;
    case '<=':
      return difference <= 0;
    case '>':
      return difference > 0;
    case '>=':
      return difference >= 0;
    default:
      return false;
  }
}

function comparesStrings(stored: string, wanted: string, comparison: Comparison): boolean {
  switch (comparison.operator) {
    case 'CONTAINS':
      return stored.includes(wanted);
    case 'BEGINSWITH':
      return stored.startsWith(wanted);
    case 'ENDSWITH':
      return stored.endsWith(wanted);
    case 'MATCHES':
      return patternOf(comparison, wanted)(stored);
    default:
      return false;
  }
}

/** A filter is evaluated for many traces: its patterns are compiled once. */
const patterns = new WeakMap<Comparison, Pattern>();

function patternOf(comparison: Comparison, source: string): Pattern {
  const known = patterns.get(comparison);
  if (known !== undefined) return known;
  const result = compilePattern(source);
  const pattern = result.ok ? result.pattern : () => false;
  patterns.set(comparison, pattern);
  return pattern;
}
