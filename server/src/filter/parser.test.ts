import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Condition } from './ast.ts';
import { MAX_FILTER_LENGTH, parseFilter, readFilter } from './parser.ts';
import { printFilter } from './print.ts';
import { arbitraryFilter } from './testing/arbitrary-filter.ts';

function errorOf(text: string) {
  const reading = readFilter(text);
  if (reading.ok) throw new Error(`unexpectedly valid: ${text}`);
  return reading.error;
}

/** `[text, position, some of the expected elements, a part of the reason]`. */
const INVALID: readonly (readonly [string, number, readonly string[], RegExp])[] = [
  ['responsecode("404")', 0, ['keyword'], /unknown keyword responsecode/],
  ['http.status =', 13, ['number'], /expected a number, found the end/],
  ['user = alice', 7, ['string'], /expected a quoted string, found alice/],
  ['user = "alice', 7, ['string'], /the string is not closed/],
  ['(fault', 6, [')', 'AND', 'OR'], /expected "\)", found the end/],
  ['service("a") { fault', 20, ['}', 'AND', 'OR'], /expected "}", found the end/],
  ['service("a"', 11, [')'], /expected "\)", found the end/],
  ['edge("only")', 11, [','], /expected ",", found \)/],
  ['service(id(name: "a", name: "b"))', 22, [], /name is given twice/],
  ['service(id(region: "x"))', 11, ['name', 'type', 'account.id'], /expected name, type or account.id, found region/],
  ['service() { edge("a", "b") }', 12, ['keyword'], /edge cannot stand inside braces/],
  ['annotation.request.id = 1', 18, [], /dots needs brackets/],
  ['annotation[', 11, [], /the bracket is not closed/],
  ['http.url > "x"', 9, ['=', '!=', 'CONTAINS', 'BEGINSWITH', 'ENDSWITH'], /http.url is a string/],
  ['duration CONTAINS "1"', 9, ['=', '!=', '<', '<=', '>', '>='], /duration is a number/],
  ['fault > true', 6, ['=', '!='], /fault is a yes or no/],
  ['rootcause.responsetime.exception { name = "x" }', 23, [], /rootcause.responsetime.service or/],
  ['rootcause.fault { name = "x" }', 15, [], /expected rootcause.fault.service/],
  ['name = "x"', 0, ['keyword'], /name is only known inside/],
  ['coverage > 0.5', 0, ['keyword'], /only known inside rootcause.responsetime.entity/],
  ['group.name CONTAINS "x"', 11, ['=', '!='], /expected = or !=, found CONTAINS/],
  ['group.name', 10, ['=', '!='], /expected = or !=, found the end/],
  ['rootcause.json = "x"', 17, ['#'], /expected "#"/],
  ['rootcause.json = #{}', 18, ['['], /expected "\[", found {/],
  ['fault AND', 9, ['keyword', '!', '('], /expected a keyword, found the end/],
  ['fault && error', 6, ['AND', 'OR', 'end'], /unexpected "&"/],
  ['duration = "5"', 11, ['number'], /expected a number, found "5"/],
];

test.each(INVALID)('%s is refused at %i', (text, position, expected, reason) => {
  const error = errorOf(text);
  expect(error).toMatchObject({ position, message: expect.stringMatching(reason) });
  expect(error.expected).toEqual(expect.arrayContaining([...expected]));
});

test('a refused expression is an InvalidRequestException that names reason and offset', () => {
  expect(() => parseFilter('http.status =')).toThrow(
    expect.objectContaining({
      code: 'InvalidRequestException',
      message: 'Invalid filter expression: expected a number, found the end at position 13',
    }),
  );
});

test.each<readonly [string, number]>([
  ['rootcause.fault.entity { coverage > 0.5 }', 25],
  ['rootcause.fault.service { annotation.a }', 26],
  ['rootcause.slow.service { first }', 10],
  ['rootcause', 9],
  ['rootcause.json = #[{"Services": 1,}]', 34],
  ['rootcause.json = #[1 2]', 21],
  ['source.annotation.a = 1', 0],
  ['annotation. = 1', 11],
  ['annotation[] = 1', 11],
  ['annotation[a][b]', 13],
  ['metadata = 1', 9],
  ['metadata.a..b', 11],
  ['user = "a\\q"', 9],
  ['user MATCHES "(a"', 13],
  ['user MATCHES 5', 13],
  ['user IN ()', 9],
  ['user IN ("a"', 12],
  ['fault IN (true)', 6],
  ['http.status < 1e', 15],
  ['fault ORDER BY name', 15],
  ['(fault ORDER BY start)', 7],
  ['fault ORDER BY start fault', 21],
  ['service() { }', 12],
  ['()', 1],
  ['fault = true = false', 13],
  ['OR fault', 0],
  ['group.size = "x"', 0],
  ['service("a") { group.name = "x" }', 15],
  ['fault;', 5],
])('%s is refused at %i, too', (text, position) => {
  expect(errorOf(text).position).toBe(position);
});

test('the length and the nesting of expressions are limited', () => {
  const longest = `user = "${'x'.repeat(MAX_FILTER_LENGTH - 9)}"`;
  expect(readFilter(longest).ok).toBe(true);
  expect(errorOf(`${longest} `).position).toBe(MAX_FILTER_LENGTH);

  const nested = (levels: number) => `${'('.repeat(levels)}fault${')'.repeat(levels)}`;
  expect(readFilter(nested(127)).ok).toBe(true);
  expect(errorOf(nested(128))).toMatchObject({ position: 128, message: 'nested deeper than 128 levels' });
  expect(errorOf('!'.repeat(9_999)).message).toMatch(/nested deeper/);
  expect(errorOf(`rootcause.json = #${'['.repeat(9_000)}`).message).toMatch(/nested deeper/);
});

test('the range of every node is its text', () => {
  const text = '  ok AND !(service("a") { http.status >= 500 }) ORDER BY start';
  const { condition, order } = parseFilter(text);
  const textOf = (node: { range: { start: number; end: number } }) => text.slice(node.range.start, node.range.end);
  const [ok, not] = condition.kind === 'and' ? condition.operands : [];
  expect([ok, not, order].map((node) => node && textOf(node))).toEqual([
    'ok',
    '!(service("a") { http.status >= 500 })',
    'ORDER BY start',
  ]);
  const service = not?.kind === 'not' && not.operand.kind === 'service' ? not.operand : undefined;
  expect([service, service?.service, service?.where].map((node) => node && textOf(node))).toEqual([
    'service("a") { http.status >= 500 }',
    '"a"',
    'http.status >= 500',
  ]);
});

test('AND binds closer than OR, written or not', () => {
  const shape = (text: string) => shapeOf(parseFilter(text).condition);
  expect(shape('ok OR error fault AND throttle')).toEqual(['or', 'ok', ['and', 'error', 'fault', 'throttle']]);
  expect(shape('!ok error')).toEqual(['and', ['not', 'ok'], 'error']);
  expect(shape('(ok OR error) fault')).toEqual(['and', ['or', 'ok', 'error'], 'fault']);
});

function shapeOf(condition: Condition): unknown {
  if (condition.kind === 'and' || condition.kind === 'or') return [condition.kind, ...condition.operands.map(shapeOf)];
  if (condition.kind === 'not') return ['not', shapeOf(condition.operand)];
  return condition.kind === 'present' && condition.field.kind === 'keyword' ? condition.field.keyword : condition.kind;
}

test('only names and types may be without quotes', () => {
  const { condition } = parseFilter('service("a") { name = data-plane AND type = AWS::Lambda::Function }');
  expect(condition).toMatchObject({
    where: { operands: [{ value: { value: 'data-plane' } }, { value: { value: 'AWS::Lambda::Function' } }] },
  });
  expect(errorOf('service("a") { user = alice }').position).toBe(22);
});

test('strings may contain the escapes of JSON', () => {
  const { condition } = parseFilter(String.raw`user = "\"a\\b\/\u00e9\n"`);
  expect(condition).toMatchObject({ value: { value: '"a\\b/é\n' } });
});

const fragments = fc.constantFrom(
  ...'service( edge( id(name: "a" , ) { } [ ] ! = != < >= AND OR NOT fault duration user annotation. annotation[ metadata.a.b 1 -2.5e3 " \\ # rootcause.json rootcause.fault.entity ORDER BY start MATCHES "(a+)+$" IN ( true . : é \ud800 \n'.split(
    ' ',
  ),
);
const nearlyValid = fc.oneof(
  fc.array(fragments, { maxLength: 12 }).map((parts) => parts.join(' ')),
  fc
    .tuple(arbitraryFilter, fc.nat(), fc.nat(4), fc.string({ unit: 'binary', maxLength: 3 }))
    .map(([filter, at, length, inserted]) => {
      const text = printFilter(filter);
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + inserted + text.slice(cut + length);
    }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
);

test('any text is a filter, or an error inside the text', () => {
  fc.assert(
    fc.property(nearlyValid, (text) => {
      const reading = readFilter(text);
      if (reading.ok) return;
      expect(reading.error.position).toBeGreaterThanOrEqual(0);
      expect(reading.error.position).toBeLessThanOrEqual(text.length);
      expect(reading.error.message).not.toBe('');
    }),
    { numRuns: 20_000 },
  );
});
