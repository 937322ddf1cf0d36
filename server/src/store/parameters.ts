import type { RenderedSql, SqlValue } from './sql.ts';

/**
 * `SET param_p0 = '…', …` for the values of a statement, or nothing when it has none.
 * The binding's own way to pass parameters lets one call at a time run in the whole process; a setting belongs to the
 * session and leaves calls independent. The engine still parses each value by the type of its placeholder:
 * a value never is part of the statement that runs.
 */
export function setParameters({ params }: RenderedSql): string {
  return Object.entries(params)
    .map(([name, value]) => `param_${name} = ${quote(parameterText(value))}`)
    .join(', ');
}

/** A string literal of ClickHouse. Only the backslash and the quote can end or escape anything inside one. */
export function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** The text form by which a parameter is read: tab-separated escapes for a string, literals inside a list. */
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
