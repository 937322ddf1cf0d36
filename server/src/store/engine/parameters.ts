import type { RenderedSql, SqlValue } from '../sql.ts';

/**
 * `param_p0 = '…', …` for SET, with the values of a statement; empty for a statement without values. The binding's own
 * parameters allow one call at a time in the whole process. A setting belongs to its session, so calls stay
 * independent. The engine parses each value by the type of its placeholder: a value is never part of the statement.
 */
export function parameterSettings({ params }: RenderedSql): string {
  return Object.entries(params)
    .map(([name, value]) => `param_${name} = ${quote(parameterText(value))}`)
    .join(', ');
}

/** A string literal of ClickHouse. Only the backslash and the quote have a meaning inside it. */
export function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** The text form of a parameter: tab-separated escapes for a string, literals inside a list. */
function parameterText(value: SqlValue): string {
  if (typeof value === 'string') return escapeTabSeparated(value);
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'object') {
    return `[${value.map((item) => (typeof item === 'string' ? quote(item) : numberText(item))).join(',')}]`;
  }
  return String(value);
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

const TAB_SEPARATED: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\0': '\\0',
};

function escapeTabSeparated(text: string): string {
  return text.replace(/[\\\t\n\r\0]/g, (character) => TAB_SEPARATED[character] ?? character);
}
