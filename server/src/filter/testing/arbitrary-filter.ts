import fc from 'fast-check';
import type { Condition, Field, Filter, Identity, Literal, Operator, Order, Range } from '../ast.ts';
import {
  CAUSE_LEVELS,
  causeScope,
  hasEntities,
  KEYWORDS,
  type Keyword,
  OPERATORS,
  type Scope,
  scopesOf,
  typeOf,
} from '../keywords.ts';

/** Ranges of generated trees say nothing: compare with `withoutRanges`. */
const NOWHERE: Range = { start: 0, end: 0 };

const OR_NOT = { nil: undefined };
const text = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom('true', ''),
);
const plainKey = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/);
const key = fc.oneof(plainKey, text);
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));
const PATTERNS = ['^a+$', '.*', '[a-z]{2,5}|\\d', '(?i)time ?out', '\\bx\\b', ''];

const identity: fc.Arbitrary<Identity> = fc
  .record({ name: fc.option(text, OR_NOT), type: fc.option(text, OR_NOT), accountId: fc.option(text, OR_NOT) })
  .filter(({ name, type, accountId }) => name !== undefined || type !== undefined || accountId !== undefined)
  .map((members) => ({ ...members, range: NOWHERE }));

function fieldIn(scope: Scope): fc.Arbitrary<Field> {
  const keywords = (Object.keys(KEYWORDS) as Keyword[]).filter((keyword) => scopesOf(keyword).includes(scope));
  const keyword = fc
    .constantFrom(...keywords)
    .map((name): Field => ({ kind: 'keyword', keyword: name, range: NOWHERE }));
  if (!hasEntities(scope)) return keyword;
  const end =
    scope === 'edge' ? fc.constantFrom(undefined, 'source' as const, 'destination' as const) : fc.constant(undefined);
  const path = fc.array(key, { minLength: 1, maxLength: 4 });
  return fc.oneof(
    keyword,
    fc.record({ kind: fc.constant('annotation' as const), key, end, range: fc.constant(NOWHERE) }),
    fc.record({ kind: fc.constantFrom('metadata' as const, 'segment' as const), path, range: fc.constant(NOWHERE) }),
  );
}

function literalFor(field: Field, operator: Operator): fc.Arbitrary<Literal> {
  return valueFor(field, operator).map((value) => ({ value, range: NOWHERE }));
}

function valueFor(field: Field, operator: Operator): fc.Arbitrary<Literal['value']> {
  if (operator === 'MATCHES') return fc.constantFrom(...PATTERNS);
  switch (typeOf(field)) {
    case 'bool':
      return fc.boolean();
    case 'number':
      return number;
    case 'string':
      return text;
    case 'any':
      return fc.oneof(text, number, fc.boolean());
  }
}

function fieldTermIn(scope: Scope): fc.Arbitrary<Condition> {
  return fieldIn(scope).chain((field): fc.Arbitrary<Condition> => {
    const comparison = fc
      .constantFrom(...OPERATORS[typeOf(field)])
      .chain((operator) =>
        literalFor(field, operator).map(
          (value): Condition => ({ kind: 'comparison', field, operator, value, range: NOWHERE }),
        ),
      );
    const present = fc.constant<Condition>({ kind: 'present', field, range: NOWHERE });
    if (typeOf(field) === 'bool') return fc.oneof(present, comparison);
    const oneOf = fc
      .array(literalFor(field, '='), { minLength: 1, maxLength: 3 })
      .map((values): Condition => ({ kind: 'in', field, values, range: NOWHERE }));
    return fc.oneof(present, comparison, oneOf);
  });
}

function selectorTerm(depth: number): fc.Arbitrary<Condition> {
  const whereIn = (scope: Scope) => fc.option(conditionIn(scope, depth - 1), OR_NOT);
  const causeAndLevel = fc.constantFrom(
    ...(['fault', 'error', 'responsetime'] as const).flatMap((cause) =>
      CAUSE_LEVELS[cause].map((level) => ({ cause, level })),
    ),
  );
  return fc.oneof(
    fc.record({
      kind: fc.constant('service' as const),
      service: fc.option(identity, OR_NOT),
      where: whereIn('service'),
      range: fc.constant(NOWHERE),
    }),
    fc.record({
      kind: fc.constant('edge' as const),
      ends: fc.option(fc.record({ from: identity, to: identity }), OR_NOT),
      where: whereIn('edge'),
      range: fc.constant(NOWHERE),
    }),
    causeAndLevel.chain(({ cause, level }) =>
      conditionIn(causeScope(cause, level), depth - 1).map(
        (where): Condition => ({ kind: 'rootcause', cause, level, where, range: NOWHERE }),
      ),
    ),
    fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 3 }).map(
      (causes): Condition => ({
        kind: 'rootcause-json',
        operator: '=',
        causes: JSON.parse(JSON.stringify(causes)),
        range: NOWHERE,
      }),
    ),
    fc.record({
      kind: fc.constant('group' as const),
      by: fc.constantFrom('name' as const, 'arn' as const),
      operator: fc.constantFrom('=' as const, '!=' as const),
      value: text,
      range: fc.constant(NOWHERE),
    }),
  );
}

function conditionIn(scope: Scope, depth: number): fc.Arbitrary<Condition> {
  const term = scope === 'trace' ? fc.oneof(fieldTermIn(scope), selectorTerm(depth)) : fieldTermIn(scope);
  if (depth <= 0) return fieldTermIn(scope);
  const inner = conditionIn(scope, depth - 1);
  return fc.oneof(
    { arbitrary: term, weight: 3 },
    { arbitrary: inner.map((operand): Condition => ({ kind: 'not', operand, range: NOWHERE })), weight: 1 },
    {
      arbitrary: fc
        .record({
          kind: fc.constantFrom('and' as const, 'or' as const),
          operands: fc.array(inner, { minLength: 2, maxLength: 3 }),
        })
        .map((node): Condition => ({ ...node, range: NOWHERE })),
      weight: 2,
    },
  );
}

const order: fc.Arbitrary<Order> = fc.record({
  kind: fc.constant('order' as const),
  by: fc.constantFrom('start' as const, 'duration' as const, 'responsetime' as const),
  direction: fc.constantFrom('ascending' as const, 'descending' as const),
  range: fc.constant(NOWHERE),
});

/** Any filter that a text can spell, a few levels deep. */
export const arbitraryFilter: fc.Arbitrary<Filter> = fc.record({
  kind: fc.constant('filter' as const),
  condition: fc.oneof(
    { arbitrary: conditionIn('trace', 2), weight: 9 },
    { arbitrary: fc.constant<Condition>({ kind: 'all', range: NOWHERE }), weight: 1 },
  ),
  order: fc.option(order, OR_NOT),
  range: fc.constant(NOWHERE),
});

/** The tree with every range alike, to compare trees of different texts. */
export function withoutRanges(filter: Filter): unknown {
  return JSON.parse(JSON.stringify(filter, (name, value) => (name === 'range' ? undefined : value)));
}
