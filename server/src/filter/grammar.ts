import type {
  Condition,
  EdgeTerm,
  Filter,
  GroupTerm,
  Order,
  RootCauseJson,
  RootCauseTerm,
  ServiceTerm,
} from './ast.ts';
import {
  accept,
  advance,
  type Cursor,
  expect,
  expectString,
  FilterSyntaxError,
  fail,
  isNext,
  nested,
  rangeFrom,
} from './cursor.ts';
import { parseFieldTerm } from './field-parser.ts';
import { parseEnds, parseIdentity } from './identity.ts';
import { parseJsonArray } from './json-literal.ts';
import { rootCauseScope, type Scope } from './keywords.ts';
import { ROOT_CAUSE_LEVELS, type RootCauseKind } from './root-cause-kind.ts';

/** A whole expression: a condition, then an optional order. */
export function parseWhole(cursor: Cursor): Filter {
  const isBlank = cursor.token.kind === 'end' || isNext(cursor, 'ORDER');
  if (isBlank) cursor.expected.push({ kind: 'term', scope: 'trace' });
  const condition: Condition = isBlank ? { kind: 'all', range: { start: 0, end: 0 } } : parseOr(cursor, 'trace');
  const order = parseOrder(cursor);
  cursor.expected.push({ kind: 'end' });
  if (cursor.token.kind !== 'end') fail(cursor, 'expected AND, OR or the end');
  return { kind: 'filter', condition, order, range: { start: 0, end: cursor.text.length } };
}

function parseOrder(cursor: Cursor): Order | undefined {
  const { start } = cursor.token;
  if (!accept(cursor, 'ORDER')) return undefined;
  expect(cursor, 'BY');
  const by = (['start', 'duration', 'responsetime'] as const).find((key) => accept(cursor, key));
  if (by === undefined) return fail(cursor, 'expected start, duration or responsetime');
  const isAscending = accept(cursor, 'ASC');
  if (!isAscending) accept(cursor, 'DESC');
  return { kind: 'order', by, direction: isAscending ? 'ascending' : 'descending', range: rangeFrom(cursor, start) };
}

function parseOr(cursor: Cursor, scope: Scope): Condition {
  const operands: Operands = [parseAnd(cursor, scope)];
  while (accept(cursor, 'OR')) operands.push(parseAnd(cursor, scope));
  return joined('or', operands);
}

function parseAnd(cursor: Cursor, scope: Scope): Condition {
  const operands: Operands = [parseUnary(cursor, scope)];
  while (accept(cursor, 'AND') || startsTerm(cursor, scope)) operands.push(parseUnary(cursor, scope));
  return joined('and', operands);
}

type Operands = [Condition, ...Condition[]];

function joined(kind: 'and' | 'or', operands: Operands): Condition {
  const [first, ...more] = operands;
  const last = more.at(-1);
  if (last === undefined) return first;
  return { kind, operands, range: { start: first.range.start, end: last.range.end } };
}

/** Two terms side by side mean AND. */
function startsTerm(cursor: Cursor, scope: Scope): boolean {
  cursor.expected.push({ kind: 'term', scope });
  if (cursor.token.kind === 'word') return !isNext(cursor, 'OR') && !isNext(cursor, 'ORDER');
  return isNext(cursor, '!') || isNext(cursor, '(');
}

function parseUnary(cursor: Cursor, scope: Scope): Condition {
  return nested(cursor, () => {
    const { start } = cursor.token;
    if (accept(cursor, '!') || accept(cursor, 'NOT')) {
      const operand = parseUnary(cursor, scope);
      return { kind: 'not', operand, range: rangeFrom(cursor, start) };
    }
    if (accept(cursor, '(')) {
      const inner = parseOr(cursor, scope);
      expect(cursor, ')');
      return inner;
    }
    return parseTerm(cursor, scope);
  });
}

function parseTerm(cursor: Cursor, scope: Scope): Condition {
  cursor.expected.push({ kind: 'term', scope });
  const { token } = cursor;
  if (token.kind !== 'word') return fail(cursor, 'expected a keyword');
  const [head] = token.text.toLowerCase().split('.', 1);
  switch (head) {
    case 'service':
    case 'edge':
      if (token.text.length > head.length) break;
      requireTraceScope(cursor, scope, head);
      return head === 'service' ? parseService(cursor) : parseEdge(cursor);
    case 'rootcause':
      requireTraceScope(cursor, scope, head);
      return parseRootCause(cursor, token.start, token.text.toLowerCase());
    case 'group':
      requireTraceScope(cursor, scope, head);
      return parseGroup(cursor, token.start, token.text.toLowerCase());
    case 'and':
    case 'or':
    case 'not':
      return fail(cursor, 'expected a keyword');
  }
  return parseFieldTerm(cursor, token, scope);
}

function requireTraceScope(cursor: Cursor, scope: Scope, head: string): void {
  if (scope === 'trace') return;
  throw new FilterSyntaxError(`${head} cannot stand inside braces`, cursor.token.start);
}

function parseService(cursor: Cursor): ServiceTerm {
  const { start } = cursor.token;
  advance(cursor);
  const service = parseParenthesised(cursor, () => parseIdentity(cursor));
  const where = parseBraces(cursor, 'service');
  return { kind: 'service', service, where, range: rangeFrom(cursor, start) };
}

function parseEdge(cursor: Cursor): EdgeTerm {
  const { start } = cursor.token;
  advance(cursor);
  const ends = parseParenthesised(cursor, () => parseEnds(cursor));
  const where = parseBraces(cursor, 'edge');
  return { kind: 'edge', ends, where, range: rangeFrom(cursor, start) };
}

/** `( … )`. Both the content and the parentheses are optional. */
function parseParenthesised<T>(cursor: Cursor, parseInner: () => T): T | undefined {
  if (!accept(cursor, '(') || accept(cursor, ')')) return undefined;
  const inner = parseInner();
  expect(cursor, ')');
  return inner;
}

function parseBraces(cursor: Cursor, scope: Scope): Condition | undefined {
  if (!accept(cursor, '{')) return undefined;
  const condition = parseOr(cursor, scope);
  expect(cursor, '}');
  return condition;
}

/** `rootcause.<kind>.<level> { … }` or `rootcause.json`; `words` is lower case. */
function parseRootCause(cursor: Cursor, start: number, words: string): RootCauseTerm | RootCauseJson {
  const [, kind, level, ...more] = words.split('.');
  if (kind === 'json' && level === undefined) return parseRootCauseJson(cursor, start);
  const kindStart = start + 'rootcause.'.length;
  if (kind === undefined || !isRootCauseKind(kind)) {
    throw new FilterSyntaxError(
      'expected rootcause.fault, .error, .responsetime or .json',
      Math.min(kindStart, start + words.length),
    );
  }
  const levels = ROOT_CAUSE_LEVELS[kind];
  const known = levels.find((name) => name === level);
  if (known === undefined || more.length > 0) {
    const at = Math.min(kindStart + kind.length + 1, start + words.length);
    throw new FilterSyntaxError(`expected ${levels.map((name) => `rootcause.${kind}.${name}`).join(' or ')}`, at);
  }
  advance(cursor);
  expect(cursor, '{');
  const where = parseOr(cursor, rootCauseScope(kind, known));
  expect(cursor, '}');
  return { kind: 'rootcause', cause: kind, level: known, where, range: rangeFrom(cursor, start) };
}

function isRootCauseKind(text: string): text is RootCauseKind {
  return Object.hasOwn(ROOT_CAUSE_LEVELS, text);
}

function parseRootCauseJson(cursor: Cursor, start: number): RootCauseJson {
  advance(cursor);
  const operator = parseEquality(cursor);
  cursor.expected.push({ kind: 'value', of: 'json' });
  expect(cursor, '#');
  const rootCauses = parseJsonArray(cursor);
  return { kind: 'rootcause-json', operator, rootCauses, range: rangeFrom(cursor, start) };
}

function parseGroup(cursor: Cursor, start: number, words: string): GroupTerm {
  if (words !== 'group.name' && words !== 'group.arn') {
    throw new FilterSyntaxError('expected group.name or group.arn', start);
  }
  advance(cursor);
  const operator = parseEquality(cursor);
  const value = expectString(cursor, words, 'a quoted string');
  return {
    kind: 'group',
    by: words === 'group.name' ? 'name' : 'arn',
    operator,
    value,
    range: rangeFrom(cursor, start),
  };
}

function parseEquality(cursor: Cursor): '=' | '!=' {
  const operator = (['=', '!='] as const).find((symbol) => accept(cursor, symbol));
  return operator ?? fail(cursor, 'expected = or !=');
}
