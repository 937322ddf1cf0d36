import { startOfTyped } from './complete.ts';
import { expectedAfter, readFilter } from './parser.ts';
import { printField } from './print.ts';
import { tokens } from './tokens.ts';

/**
 * A filter for the traces whose names and values fit at `offset`: the conditions that are joined to it by AND, and for a
 * text that has begun, that the field contains it. Empty where every trace may fit.
 */
export function vocabularyFilter(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const start = startOfTyped(before);
  const joined = conditionsJoinedTo(before.slice(0, start));
  const parts = [...(joined === '' ? [] : [joined]), ...typedCondition(before, start)];
  const filter = parts.length > 1 ? parts.map((part) => `(${part})`).join(' AND ') : (parts[0] ?? '');
  return readFilter(filter).ok ? filter : '';
}

/** The text before the last AND outside of brackets, unless an OR follows it: then the conditions need not hold. */
function conditionsJoinedTo(before: string): string {
  let depth = 0;
  let end = 0;
  for (const token of tokens(before)) {
    const word = before.slice(token.start, token.end).toLowerCase();
    if (token.kind === 'punctuation' && '([{'.includes(word)) depth += 1;
    else if (token.kind === 'punctuation' && ')]}'.includes(word)) depth -= 1;
    else if (token.kind === 'logic' && depth === 0 && word === 'and') end = token.start;
    else if (token.kind === 'logic' && depth === 0 && (word === 'or' || word === 'order')) end = 0;
  }
  const conditions = before.slice(0, end).trim();
  return readFilter(conditions).ok ? conditions : '';
}

/** A field in braces is one of the trace, too: the value of one service or call is among the values of the trace. */
function typedCondition(before: string, start: number): readonly string[] {
  const typed = before.slice(start);
  if (!typed.startsWith('"') || typed.length === 1 || typed.includes('\\')) return [];
  for (const expectation of expectedAfter(before.slice(0, start))) {
    if (expectation.kind !== 'value' || typeof expectation.of !== 'object') continue;
    const condition = `${printField(expectation.of)} CONTAINS ${typed}"`;
    return readFilter(condition).ok ? [condition] : [];
  }
  return [];
}
