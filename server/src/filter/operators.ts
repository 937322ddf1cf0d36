import type { Field, Operator } from './ast.ts';
import { KEYWORDS } from './keywords.ts';

/** `any` has the type of the stored value. */
export type ValueType = 'bool' | 'number' | 'string' | 'any';

const EQUALITY: readonly Operator[] = ['=', '!='];
const NUMERIC: readonly Operator[] = ['=', '!=', '<', '<=', '>', '>='];
const TEXTUAL: readonly Operator[] = ['=', '!=', 'CONTAINS', 'BEGINSWITH', 'ENDSWITH', 'MATCHES'];

/** Operators that values of the type can be compared with. */
export const OPERATORS: Readonly<Record<ValueType, readonly Operator[]>> = {
  bool: EQUALITY,
  number: NUMERIC,
  string: TEXTUAL,
  any: [...NUMERIC, 'CONTAINS', 'BEGINSWITH', 'ENDSWITH', 'MATCHES'],
};

export function typeOf(field: Field): ValueType {
  return field.kind === 'keyword' ? KEYWORDS[field.keyword].type : 'any';
}
