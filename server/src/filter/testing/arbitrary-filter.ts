import fc from 'fast-check';
import { parseJson, printJson } from '../../model/exact-json.ts';
import { isJsonObject, type JsonValue } from '../../model/json.ts';
import type { Condition, Field, Filter, Identity, Literal, Operator, Order, Range } from '../ast.ts';
import { hasEntities, KEYWORDS, type Keyword, rootCauseScope, type Scope, scopesOf } from '../keywords.ts';
import { OPERATORS, typeOf } from '../operators.ts';
import { ROOT_CAUSE_LEVELS } from '../root-cause-kind.ts';
import { ANY_OPERANDS, type OperandArbitraries } from './operand-arbitraries.ts';

/** Range of every generated node. Compare trees with `withoutRanges`. */
const NO_RANGE: Range = { start: 0, end: 0 };

const OR_NOT = { nil: undefined };

function identityIn({ texts }: OperandArbitraries): fc.Arbitrary<Identity> {
  return fc
    .record({
      name: fc.option(texts, OR_NOT),
      type: fc.option(texts, OR_NOT),
      accountId: fc.option(texts, { ...OR_NOT, freq: 1 }),
    })
    .filter(({ name, type, accountId }) => name !== undefined || type !== undefined || accountId !== undefined)
    .map((members) => ({ ...members, range: NO_RANGE }));
}

function fieldIn(operands: OperandArbitraries, scope: Scope): fc.Arbitrary<Field> {
  const keywords = (Object.keys(KEYWORDS) as Keyword[]).filter((keyword) => scopesOf(keyword).includes(scope));
  const keyword = fc
    .constantFrom(...keywords)
    .map((name): Field => ({ kind: 'keyword', keyword: name, range: NO_RANGE }));
  if (!hasEntities(scope)) return keyword;
  const end =
    scope === 'edge' ? fc.constantFrom(undefined, 'source' as const, 'destination' as const) : fc.constant(undefined);
  return fc.oneof(
    keyword,
    fc.record({
      kind: fc.constant('annotation' as const),
      key: operands.annotationKeys,
      end,
      range: fc.constant(NO_RANGE),
    }),
    fc.record({ kind: fc.constant('metadata' as const), path: operands.metadataPaths, range: fc.constant(NO_RANGE) }),
    fc.record({ kind: fc.constant('segment' as const), path: operands.segmentPaths, range: fc.constant(NO_RANGE) }),
  );
}

function literalFor(operands: OperandArbitraries, field: Field, operator: Operator): fc.Arbitrary<Literal> {
  return valueFor(operands, field, operator).map((value) => ({ value, range: NO_RANGE }));
}

function valueFor(operands: OperandArbitraries, field: Field, operator: Operator): fc.Arbitrary<Literal['value']> {
  if (operator === 'MATCHES') return operands.patterns;
  switch (typeOf(field)) {
    case 'bool':
      return fc.boolean();
    case 'number':
      return operands.numbers;
    case 'string':
      return operands.texts;
    case 'any':
      return fc.oneof(operands.texts, operands.numbers, fc.boolean());
  }
}

function fieldTermIn(operands: OperandArbitraries, scope: Scope): fc.Arbitrary<Condition> {
  return fieldIn(operands, scope).chain((field): fc.Arbitrary<Condition> => {
    const comparison = fc
      .constantFrom(...OPERATORS[typeOf(field)])
      .chain((operator) =>
        literalFor(operands, field, operator).map(
          (value): Condition => ({ kind: 'comparison', field, operator, value, range: NO_RANGE }),
        ),
      );
    const present = fc.constant<Condition>({ kind: 'present', field, range: NO_RANGE });
    if (typeOf(field) === 'bool') return fc.oneof(present, comparison);
    const oneOf = fc
      .array(literalFor(operands, field, '='), { minLength: 1, maxLength: 3 })
      .map((values): Condition => ({ kind: 'in', field, values, range: NO_RANGE }));
    return fc.oneof(present, comparison, oneOf);
  });
}

function selectorTerm(operands: OperandArbitraries, depth: number): fc.Arbitrary<Condition> {
  const whereIn = (scope: Scope) => fc.option(conditionIn(operands, scope, depth - 1), OR_NOT);
  const kindAndLevel = fc.constantFrom(
    ...(['fault', 'error', 'responsetime'] as const).flatMap((cause) =>
      ROOT_CAUSE_LEVELS[cause].map((level) => ({ cause, level })),
    ),
  );
  return fc.oneof(
    fc.record({
      kind: fc.constant('service' as const),
      service: fc.option(identityIn(operands), OR_NOT),
      where: whereIn('service'),
      range: fc.constant(NO_RANGE),
    }),
    fc.record({
      kind: fc.constant('edge' as const),
      ends: fc.option(fc.record({ from: identityIn(operands), to: identityIn(operands) }), OR_NOT),
      where: whereIn('edge'),
      range: fc.constant(NO_RANGE),
    }),
    kindAndLevel.chain(({ cause, level }) =>
      conditionIn(operands, rootCauseScope(cause, level), depth - 1).map(
        (where): Condition => ({ kind: 'rootcause', cause, level, where, range: NO_RANGE }),
      ),
    ),
    fc.record({
      kind: fc.constant('rootcause-json' as const),
      operator: fc.constantFrom('=' as const, '!=' as const),
      // JSON text has no -0.
      rootCauses: fc
        .array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 3 })
        .map((causes) => JSON.parse(JSON.stringify(causes))),
      range: fc.constant(NO_RANGE),
    }),
    fc.record({
      kind: fc.constant('group' as const),
      by: fc.constantFrom('name' as const, 'arn' as const),
      operator: fc.constantFrom('=' as const, '!=' as const),
      value: operands.texts,
      range: fc.constant(NO_RANGE),
    }),
  );
}

function conditionIn(operands: OperandArbitraries, scope: Scope, depth: number): fc.Arbitrary<Condition> {
  const term =
    scope === 'trace'
      ? fc.oneof(fieldTermIn(operands, scope), selectorTerm(operands, depth))
      : fieldTermIn(operands, scope);
  if (depth <= 0) return fieldTermIn(operands, scope);
  const inner = conditionIn(operands, scope, depth - 1);
  return fc.oneof(
    { arbitrary: term, weight: 3 },
    { arbitrary: inner.map((operand): Condition => ({ kind: 'not', operand, range: NO_RANGE })), weight: 1 },
    {
      arbitrary: fc
        .record({
          kind: fc.constantFrom('and' as const, 'or' as const),
          operands: fc.array(inner, { minLength: 2, maxLength: 3 }),
        })
        .map((node): Condition => ({ ...node, range: NO_RANGE })),
      weight: 2,
    },
  );
}

const order: fc.Arbitrary<Order> = fc.record({
  kind: fc.constant('order' as const),
  by: fc.constantFrom('start' as const, 'duration' as const, 'responsetime' as const),
  direction: fc.constantFrom('ascending' as const, 'descending' as const),
  range: fc.constant(NO_RANGE),
});

/** Any filter with these operands that a text can spell, a few levels deep. */
export function arbitraryFilterOf(operands: OperandArbitraries): fc.Arbitrary<Filter> {
  return fc.record({
    kind: fc.constant('filter' as const),
    condition: fc.oneof(
      { arbitrary: conditionIn(operands, 'trace', 2), weight: 9 },
      { arbitrary: fc.constant<Condition>({ kind: 'all', range: NO_RANGE }), weight: 1 },
    ),
    order: fc.option(order, OR_NOT),
    range: fc.constant(NO_RANGE),
  });
}

/** Any filter. */
export const arbitraryFilter: fc.Arbitrary<Filter> = arbitraryFilterOf(ANY_OPERANDS);

function omitRanges(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(omitRanges);
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).filter(([name]) => name !== 'range');
  return Object.fromEntries(members.map(([name, member]) => [name, omitRanges(member)]));
}

/** The tree without ranges, to compare trees of different texts. */
export function withoutRanges(filter: Filter): unknown {
  return omitRanges(parseJson(printJson(filter)));
}
