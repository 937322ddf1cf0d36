import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OpenrayError } from '../errors.ts';
import type { AnyValue, Span } from '../model/otlp-messages.ts';
import { readLogs, readTraces } from './otlp-json.ts';

const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
const spanOf = (text: string): Span =>
  plain(
    readTraces(`{"resourceSpans":[{"scopeSpans":[{"spans":[${text}]}]}]}`).resourceSpans?.[0]?.scopeSpans?.[0]
      ?.spans?.[0],
  );
const valueIn = (text: string): AnyValue | undefined =>
  spanOf(`{"attributes":[{"key":"k","value":${text}}]}`).attributes?.[0]?.value;

test('ids are hex of any case', () => {
  const span = spanOf(`{"traceId":"${'AB'.repeat(16)}","spanId":"${'Cd'.repeat(8)}"}`);
  expect(span).toEqual({ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) });
});

test.each([
  ['{"intValue":"9007199254740993"}', { intValue: '9007199254740993' }],
  ['{"intValue":9007199254740993}', { intValue: '9007199254740993' }],
  ['{"intValue":-7}', { intValue: '-7' }],
  ['{"intValue":100000000000000000000}', { doubleValue: 1e20 }],
  ['{"doubleValue":"NaN"}', { doubleValue: 'NaN' }],
  ['{"doubleValue":"-Infinity"}', { doubleValue: '-Infinity' }],
  ['{"doubleValue":-0.0}', { doubleValue: '-0' }],
  ['{"doubleValue":1}', { doubleValue: 1 }],
  ['{"doubleValue":null}', {}],
  ['{}', {}],
  ['{"bytesValue":"-_8"}', { bytesValue: '+/8=' }],
  ['{"arrayValue":{}}', { arrayValue: {} }],
  ['{"arrayValue":{"values":[{"stringValue":""}]}}', { arrayValue: { values: [{ stringValue: '' }] } }],
  ['{"later":{"than":"this"}}', {}],
])('the value %s', (text, value) => {
  expect(valueIn(text)).toEqual(value);
});

test('a long integer inside a text stays text', () => {
  expect(valueIn('{"stringValue":"[12345678901234567890,\\"x\\":12345678901234567890]"}')).toEqual({
    stringValue: '[12345678901234567890,"x":12345678901234567890]',
  });
  expect(spanOf('{"startTimeUnixNano":1700000000123456789}')).toMatchObject({
    startTimeUnixNano: '1700000000123456789',
  });
});

test('kinds and codes are numbers; names are accepted, unknown numbers are kept', () => {
  expect(spanOf('{"kind":2,"status":{"code":2}}')).toMatchObject({ kind: 2, status: { code: 2 } });
  expect(spanOf('{"kind":"SPAN_KIND_CLIENT","status":{"code":"STATUS_CODE_ERROR"}}')).toMatchObject({
    kind: 3,
    status: { code: 2 },
  });
  expect(spanOf('{"kind":99}')).toMatchObject({ kind: 99 });
});

test('members with default values, null members and unknown members are dropped', () => {
  expect(
    spanOf(
      '{"kind":0,"flags":0,"traceState":"","parentSpanId":"","startTimeUnixNano":"0","status":{"code":0},"events":[],"links":null,"future":1}',
    ),
  ).toEqual({ traceId: '', spanId: '' });
});

test.each([
  '',
  '[]',
  'null',
  '{"resourceSpans":{}}',
  '{"resourceSpans":[1]}',
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":7}]}]}]}',
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":{"a":1}}]}]}]}',
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"soon"}]}]}]}',
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"18446744073709551616"}]}]}]}',
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{"flags":-1}]}]}]}',
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"k","value":{"intValue":"x"}}]}]}]}]}',
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"k","value":{"boolValue":"x"}}]}]}]}]}',
])('%s is rejected', (text) => {
  expect(() => readTraces(text)).toThrow(OpenrayError);
});

test('any JSON is read or rejected', () => {
  const members = fc.constantFrom(
    'resourceSpans',
    'scopeSpans',
    'spans',
    'attributes',
    'value',
    'arrayValue',
    'values',
    'name',
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 8 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie('tree'), { maxLength: 2 }),
      fc.dictionary(members, tie('tree'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      for (const read of [readTraces, readLogs]) {
        try {
          read(JSON.stringify(value));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(OpenrayError);
        }
      }
    }),
  );
});

test('nesting is cut at the depth limit, without a crash', () => {
  const deep = 100_000;
  const value = `${'{"arrayValue":{"values":['.repeat(deep)}{}${']}}'.repeat(deep)}`;
  let levels = 0;
  for (let at = valueIn(value); at?.arrayValue !== undefined; at = at.arrayValue.values?.[0]) levels += 1;
  expect(levels).toBe(33);
});
