import type { Comparison, Field, Literal, OneOf, Operator, Present } from './ast.ts';
import {
  accept,
  acceptBareValue,
  advance,
  type Cursor,
  expect,
  expectKey,
  FilterSyntaxError,
  fail,
  isNext,
  rangeFrom,
} from './cursor.ts';
import { hasEntities, isKeyword, isKnownIn, KEYWORDS, type Scope } from './keywords.ts';
import type { Token } from './lexer.ts';
import { OPERATORS, typeOf, type ValueType } from './operators.ts';
import { compilePattern } from './pattern.ts';

type Word = Token & { readonly kind: 'word' };

/** A field, alone or in a comparison. `word` is the cursor's token. */
export function parseFieldTerm(cursor: Cursor, word: Word, scope: Scope): Present | Comparison | OneOf {
  const { start } = word;
  const field = parseField(cursor, word, scope);
  const type = typeOf(field);
  const operator = OPERATORS[type].find((candidate) => acceptOperator(cursor, candidate));
  if (operator !== undefined) {
    const value = parseValue(cursor, field, operator);
    return { kind: 'comparison', field, operator, value, range: rangeFrom(cursor, start) };
  }
  if (type !== 'bool' && acceptOperator(cursor, 'IN')) {
    const values = parseValues(cursor, field);
    return { kind: 'in', field, values, range: rangeFrom(cursor, start) };
  }
  if (isOperator(cursor.token)) return fail(cursor, `${describe(field)} accepts ${operatorList(type)}`);
  return { kind: 'present', field, range: rangeFrom(cursor, start) };
}

function acceptOperator(cursor: Cursor, operator: Operator | 'IN'): boolean {
  cursor.expected.push({ kind: 'operator', operator });
  if (!isNext(cursor, operator)) return false;
  advance(cursor);
  return true;
}

function isOperator(token: Token): boolean {
  const text = token.kind === 'symbol' || token.kind === 'word' ? token.text.toUpperCase() : '';
  return text === 'IN' || OPERATORS.any.some((operator) => operator === text);
}

function describe(field: Field): string {
  return field.kind === 'keyword' ? `${field.keyword} is a ${NOUNS[KEYWORDS[field.keyword].type]} and` : field.kind;
}

const NOUNS = { bool: 'yes or no', number: 'number', string: 'string' } as const;

function operatorList(type: ValueType): string {
  return [...OPERATORS[type], ...(type === 'bool' ? [] : ['IN'])].join(' ');
}

function parseField(cursor: Cursor, word: Word, scope: Scope): Field {
  const text = word.text.toLowerCase();
  const [head = '', second] = text.split('.', 2);
  if ((head === 'source' || head === 'destination') && second === 'annotation') {
    if (scope !== 'edge') return refuse(word, `${head}.annotation is only known inside edge { }`);
    const [key] = parsePath(cursor, word, 2, 1);
    return { kind: 'annotation', key, end: head, range: rangeFrom(cursor, word.start) };
  }
  if (head === 'annotation' || head === 'metadata' || head === 'segment') {
    if (!hasEntities(scope)) return refuse(word, `${head} is not known inside rootcause { }`);
    const path = parsePath(cursor, word, 1, head === 'annotation' ? 1 : MAX_STEPS);
    const range = rangeFrom(cursor, word.start);
    return head === 'annotation' ? { kind: head, key: path[0], end: undefined, range } : { kind: head, path, range };
  }
  if (!isKeyword(text)) return refuse(word, `unknown keyword ${word.text.slice(0, 40)}`);
  if (!isKnownIn(text, scope)) return refuse(word, `${text} ${whereKnown(text)}`);
  advance(cursor);
  return { kind: 'keyword', keyword: text, range: rangeFrom(cursor, word.start) };
}

function refuse(word: Word, reason: string): never {
  throw new FilterSyntaxError(reason, word.start);
}

const SCOPE_NAMES: Readonly<Record<Scope, string>> = {
  trace: 'outside braces',
  service: 'inside service { }',
  edge: 'inside edge { }',
  'root cause service': 'inside rootcause.*.service { }',
  'root cause entity': 'inside rootcause.*.entity { }',
  'response time root cause entity': 'inside rootcause.responsetime.entity { }',
  'root cause exception': 'inside rootcause.*.exception { }',
};

function whereKnown(keyword: keyof typeof KEYWORDS): string {
  return `is only known ${KEYWORDS[keyword].scopes.map((scope) => SCOPE_NAMES[scope]).join(', ')}`;
}

const MAX_STEPS = 64;

/**
 * The steps after a field's name: `.plain`, or `[anything]` for names with dots or other characters.
 * The first `skip` parts of the word are the field's name.
 */
function parsePath(cursor: Cursor, word: Word, skip: number, maxSteps: number): [string, ...string[]] {
  const named = word.text.split('.');
  const nameEnd = word.start + named.slice(0, skip).join('.').length;
  const steps = stepsOf(word.text.slice(nameEnd - word.start), nameEnd);
  advance(cursor);
  for (;;) {
    const { start } = cursor.token;
    if (isNext(cursor, '[')) steps.push({ name: expectKey(cursor), start });
    else if (cursor.token.kind === 'steps' && start === cursor.lastEnd) {
      steps.push(...stepsOf(cursor.token.text, start));
      advance(cursor);
    } else break;
  }
  const surplus = steps[maxSteps];
  if (surplus !== undefined) {
    const reason = maxSteps === 1 ? 'a key with dots needs brackets, annotation[like.this]' : 'the path is too long';
    throw new FilterSyntaxError(reason, surplus.start);
  }
  const [first, ...rest] = steps.map(({ name }) => name);
  if (first === undefined) return fail(cursor, `expected a key, as in ${word.text.slice(0, 40)}.key`);
  return [first, ...rest];
}

/** The names in `.a.b`, each with the offset of its dot. Throws on an empty name. */
function stepsOf(text: string, start: number): { readonly name: string; readonly start: number }[] {
  const steps = [];
  let at = start;
  for (const name of text.split('.').slice(1)) {
    if (name === '') throw new FilterSyntaxError('expected a key', at + 1);
    steps.push({ name, start: at });
    at += 1 + name.length;
  }
  return steps;
}

function parseValues(cursor: Cursor, field: Field): readonly Literal[] {
  expect(cursor, '(');
  const values: Literal[] = [];
  do values.push(parseValue(cursor, field, '='));
  while (accept(cursor, ','));
  expect(cursor, ')');
  return values;
}

function parseValue(cursor: Cursor, field: Field, operator: Operator): Literal {
  cursor.expected.push({ kind: 'value', of: field });
  const { token } = cursor;
  const value = readValue(cursor, field);
  if (operator === 'MATCHES') checkPattern(value, token.start);
  return { value, range: rangeFrom(cursor, token.start) };
}

function readValue(cursor: Cursor, field: Field): Literal['value'] {
  const { token } = cursor;
  const type = typeOf(field);
  if (token.kind === 'string' && (type === 'string' || type === 'any')) return consumeToken(cursor, token.value);
  if (token.kind === 'number' && (type === 'number' || type === 'any')) return consumeToken(cursor, token.value);
  if (type === 'bool' || type === 'any') {
    const truth = truthOf(token);
    if (truth !== undefined) return consumeToken(cursor, truth);
  }
  if (field.kind === 'keyword' && (field.keyword === 'name' || field.keyword === 'type')) {
    const bare = acceptBareValue(cursor);
    if (bare !== undefined) return bare;
  }
  return fail(cursor, `expected ${VALUE_NOUNS[type]}`);
}

const VALUE_NOUNS = {
  bool: 'true or false',
  number: 'a number',
  string: 'a quoted string',
  any: 'a quoted string, a number, true or false',
} as const;

function consumeToken<T>(cursor: Cursor, value: T): T {
  advance(cursor);
  return value;
}

/** `true` and `false`, in quotes or not. */
function truthOf(token: Token): boolean | undefined {
  const text = token.kind === 'word' ? token.text : token.kind === 'string' ? token.value : '';
  switch (text.toLowerCase()) {
    case 'true':
      return true;
    case 'false':
      return false;
    default:
      return undefined;
  }
}

function checkPattern(value: Literal['value'], position: number): void {
  if (typeof value !== 'string') throw new FilterSyntaxError('expected a pattern in quotes', position);
  const result = compilePattern(value);
  if (!result.ok) throw new FilterSyntaxError(result.reason, position);
}
