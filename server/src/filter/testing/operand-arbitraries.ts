import fc from 'fast-check';
import { type AnyNumber, compareNumbers, isNumber, numberOf } from '../../model/exact-number.ts';
import { isJsonObject, type JsonValue } from '../../model/json.ts';
import { numberText } from '../../model/testing/number-texts.ts';
import type { FilterSubject } from '../subject.ts';

/** Arbitraries for the operands of generated filters. */
export type OperandArbitraries = {
  readonly texts: fc.Arbitrary<string>;
  readonly numbers: fc.Arbitrary<AnyNumber>;
  /** Sources of patterns that compile. */
  readonly patterns: fc.Arbitrary<string>;
  readonly annotationKeys: fc.Arbitrary<string>;
  /** At least one step. */
  readonly metadataPaths: fc.Arbitrary<readonly string[]>;
  readonly segmentPaths: fc.Arbitrary<readonly string[]>;
};

const text = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom('true', ''),
);
const key = fc.oneof(fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/), text);
const path = fc.array(key, { minLength: 1, maxLength: 4 });

/** All operands that the language can spell. */
export const ANY_OPERANDS: OperandArbitraries = {
  texts: text,
  numbers: numberText.map((digits) => asLiteral(numberOf(digits))),
  patterns: fc.constantFrom('^a+$', '.*', '[a-z]{2,5}|\\d', '(?i)time ?out', '\\bx\\b', ''),
  annotationKeys: key,
  metadataPaths: path,
  segmentPaths: path,
};

/** A zero of a filter has no sign. */
const asLiteral = (number: AnyNumber): AnyNumber => (compareNumbers(number, 0) === 0 ? 0 : number);

/** Operands that occur in the traces, so that filters made from them match some traces and not others. */
export function operandsIn(subjects: readonly FilterSubject[]): OperandArbitraries {
  const entities = subjects.flatMap(({ trace }) => [...trace.entities.values()]);
  const services = subjects.flatMap(({ graph }) => graph.nodes.map(({ service }) => service));
  const leaves = entities.flatMap(({ fields }) => leavesOf(fields, []));
  const texts = [
    ...leaves.flatMap(({ value }) => (typeof value === 'string' ? [value] : [])),
    ...services.flatMap(({ name, type }) => [name, type ?? 'client']),
  ];
  const seconds = subjects.flatMap(({ summary }) => [summary.durationUs ?? 0, summary.responseTimeUs ?? 0]);
  const numbers = [
    ...leaves.flatMap(({ value }) => (isNumber(value) ? [asLiteral(value)] : [])),
    ...entities.flatMap(({ startUs, endUs }) => (endUs === undefined ? [] : [(endUs - startUs) / 1_000_000])),
    ...seconds.map((us) => us / 1_000_000),
  ];
  return {
    texts: fc.oneof(oneOf(texts, 'a'), oneOf(texts, 'a').chain(partOf), fc.constantFrom('', 'true', 'nowhere')),
    numbers: fc.oneof(oneOf(numbers, 1), fc.constantFrom(0, 1, 2, 0.5, 200, 500)),
    patterns: fc.oneof(ANY_OPERANDS.patterns, oneOf(texts, 'a').chain(partOf).map(quotePattern)),
    annotationKeys: oneOf(
      entities.flatMap(({ annotations }) => Object.keys(annotations)),
      'none',
    ),
    metadataPaths: pathsUnder('metadata', leaves),
    segmentPaths: oneOf(
      leaves.map((leaf) => leaf.path),
      ['none'],
    ),
  };
}

type Leaf = { readonly path: readonly string[]; readonly value: JsonValue };

/** Every value that is neither an array nor an object, with its path. */
function leavesOf(value: JsonValue, path: readonly string[]): readonly Leaf[] {
  if (Array.isArray(value)) return value.flatMap((element: JsonValue) => leavesOf(element, path));
  if (!isJsonObject(value)) return [{ path, value }];
  return Object.entries(value).flatMap(([name, member]) => leavesOf(member, [...path, name]));
}

function pathsUnder(head: string, leaves: readonly Leaf[]): fc.Arbitrary<readonly string[]> {
  const paths = leaves.flatMap(({ path }) => (path[0] === head && path.length > 1 ? [path.slice(1)] : []));
  return oneOf(paths, ['none']);
}

function oneOf<T>(values: readonly T[], otherwise: T): fc.Arbitrary<T> {
  return fc.constantFrom(...(values.length === 0 ? [otherwise] : values));
}

function partOf(whole: string): fc.Arbitrary<string> {
  const characters = [...whole];
  return fc.tuple(fc.nat(characters.length), fc.nat(characters.length)).map(([a, b]) => {
    return characters.slice(Math.min(a, b), Math.max(a, b)).join('');
  });
}

function quotePattern(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').slice(0, 100);
}
