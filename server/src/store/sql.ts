import { OpenrayError } from '../errors.ts';

/**
 * SQL as data. An interpolated value becomes a bound `{p0:Type}` parameter or is another `Sql`; a string cannot become
 * SQL text.
 */
export type SqlValue = string | number | boolean | bigint | readonly string[] | readonly number[];

/** Types of parameters. */
type SqlType =
  | 'String'
  | 'Bool'
  | 'UInt8'
  | 'UInt16'
  | 'UInt32'
  | 'UInt64'
  | 'Int64'
  | 'Float64'
  | 'Array(String)'
  | 'Array(UInt64)'
  | 'Array(Int64)'
  | 'Array(Float64)';

const sqlBrand: unique symbol = Symbol('made by sql');

/** A value with the type of its parameter, if `sql` would infer another. */
type TypedValue = { readonly type: SqlType; readonly value: SqlValue; readonly [sqlBrand]: 'value' };

/** Made by `sql` and its helpers only: JSON of the same shape lacks the symbol and is rejected. */
export type Sql = {
  readonly texts: readonly string[];
  readonly values: readonly (SqlValue | TypedValue | Sql)[];
  readonly [sqlBrand]: 'sql';
};

export type RenderedSql = { readonly query: string; readonly params: Readonly<Record<string, SqlValue>> };

type Interpolated = SqlValue | TypedValue | Sql;

/**
 * A statement or a part of one. Strings bind as String, whole numbers as Int64, others as Float64, booleans as Bool,
 * bigints as Int64 (UInt64 above its range), lists as Array of the same (an empty one as Array(String)).
 */
export function sql(texts: TemplateStringsArray, ...values: readonly Interpolated[]): Sql {
  return { texts, values, [sqlBrand]: 'sql' };
}

/** Conjunction; `true` without parts. */
sql.and = (parts: readonly Sql[]): Sql => joinInParentheses(parts, sql` AND `, sql`true`);

/** Disjunction; `false` without parts. */
sql.or = (parts: readonly Sql[]): Sql => joinInParentheses(parts, sql` OR `, sql`false`);

/** The parts in order, with `separator` between two of them; empty without parts. */
sql.join = (parts: readonly Sql[], separator: Sql = sql`, `): Sql => {
  const values = parts.flatMap((part, index) => (index === 0 ? [part] : [separator, part]));
  return { texts: ['', ...values.map(() => '')], values, [sqlBrand]: 'sql' };
};

/** Binds `value` as `type`. */
sql.typed = (value: SqlValue, type: SqlType): TypedValue => ({ type, value, [sqlBrand]: 'value' });

/** The text that runs, and its parameters by name: `p0`, `p1`… in reading order. */
export function renderSql(statement: Sql): RenderedSql {
  const params: Record<string, SqlValue> = {};
  let count = 0;
  const render = (part: Sql): string => {
    let text = part.texts[0] ?? '';
    for (const [index, value] of part.values.entries()) {
      if (isSql(value)) {
        text += render(value);
      } else {
        const bound = isTyped(value) ? value : sql.typed(value, inferType(value));
        const name = `p${count++}`;
        params[name] = bound.value;
        text += `{${name}:${bound.type}}`;
      }
      text += part.texts[index + 1] ?? '';
    }
    return text;
  };
  return { query: render(statement), params };
}

/**
 * Rows of a result in JSONEachRow: one a line, line feeds in values are escaped. One parse is faster than one for each
 * line.
 */
export function parseRows<Row>(lines: string): readonly Row[] {
  return JSON.parse(`[${lines.trimEnd().replaceAll('\n', ',')}]`);
}

function joinInParentheses(parts: readonly Sql[], separator: Sql, none: Sql): Sql {
  const [first, ...rest] = parts;
  if (first === undefined) return none;
  if (rest.length === 0) return first;
  const joined = sql.join(
    parts.map((part) => sql`(${part})`),
    separator,
  );
  // Parentheses around the whole: the caller may put an operator of higher precedence next to it.
  return sql`(${joined})`;
}

const isSql = (value: Interpolated): value is Sql =>
  typeof value === 'object' && sqlBrand in value && value[sqlBrand] === 'sql';
const isTyped = (value: SqlValue | TypedValue): value is TypedValue => typeof value === 'object' && sqlBrand in value;

function inferType(value: SqlValue): SqlType {
  switch (typeof value) {
    case 'string':
      return 'String';
    case 'boolean':
      return 'Bool';
    case 'bigint':
      return value >= 2n ** 63n ? 'UInt64' : 'Int64';
    case 'number':
      return numberType(value);
    case 'object':
      return listType(value);
    default:
      throw new OpenrayError('InternalFailure', `a ${typeof value} cannot be bound in SQL`);
  }
}

function numberType(value: number): 'Int64' | 'Float64' {
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return 'Float64';
  return Number.isInteger(value) ? 'Int64' : 'Float64';
}

function listType(list: readonly string[] | readonly number[]): SqlType {
  if (!Array.isArray(list)) throw new OpenrayError('InternalFailure', 'an object cannot be bound in SQL');
  if (list.every((item) => typeof item === 'string')) return 'Array(String)';
  if (!list.every((item) => typeof item === 'number')) {
    throw new OpenrayError('InternalFailure', 'a list bound in SQL holds strings or numbers, not both');
  }
  return list.every((item) => numberType(item) === 'Int64') ? 'Array(Int64)' : 'Array(Float64)';
}
