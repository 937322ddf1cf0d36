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

const SPAN_OF_ALL_MEMBERS = {
  resourceSpans: [
    {
      schemaUrl: 'https://opentelemetry.io/schemas/1.30.0',
      resource: {
        attributes: [{ key: 'service_name', value: { stringValue: 'shop' } }],
        droppedAttributesCount: 1,
        entityRefs: [{ schemaUrl: 'u', type: 'service', idKeys: ['a_b'], descriptionKeys: ['c_d'] }],
      },
      scopeSpans: [
        {
          schemaUrl: 'u',
          scope: { name: 's', version: '1', attributes: [], droppedAttributesCount: 2 },
          spans: [
            {
              traceId: 'ab'.repeat(16),
              spanId: 'cd'.repeat(8),
              parentSpanId: 'ef'.repeat(8),
              traceState: 'a=b',
              name: 'work_of_day',
              kind: 2,
              startTimeUnixNano: '1',
              endTimeUnixNano: '2',
              attributes: [
                { key: 'a', value: { boolValue: true } },
                { key: 'b', value: { intValue: '7' } },
                { key: 'c', value: { doubleValue: 0.5 } },
                { key: 'd', value: { bytesValue: 'AA==' } },
                { key: 'e', value: { arrayValue: { values: [{ stringValue: 'x_y' }] } } },
                { key: 'f', value: { kvlistValue: { values: [{ key: 'in_ner', value: { intValue: '1' } }] } } },
              ],
              droppedAttributesCount: 3,
              events: [{ timeUnixNano: '3', name: 'e_v', droppedAttributesCount: 1 }],
              droppedEventsCount: 4,
              links: [{ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), traceState: 'c=d', flags: 1 }],
              droppedLinksCount: 5,
              status: { message: 'm_m', code: 2 },
              flags: 1,
            },
          ],
        },
      ],
    },
  ],
};

const LOG_OF_ALL_MEMBERS = {
  resourceLogs: [
    {
      scopeLogs: [
        {
          logRecords: [
            {
              timeUnixNano: '1',
              observedTimeUnixNano: '2',
              severityNumber: 9,
              severityText: 'IN_FO',
              body: { stringValue: 'b_b' },
              attributes: [{ key: 'a_a', value: { stringValue: 'v_v' } }],
              droppedAttributesCount: 1,
              flags: 1,
              traceId: 'ab'.repeat(16),
              spanId: 'cd'.repeat(8),
              eventName: 'e_e',
            },
          ],
        },
      ],
    },
  ],
};

/** Renames the members that `isRenamed` selects to their names in protobuf, and no values. */
function withProtobufNames(value: unknown, isRenamed: () => boolean): unknown {
  if (Array.isArray(value)) return value.map((one) => withProtobufNames(one, isRenamed));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      isRenamed() ? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : name,
      withProtobufNames(inner, isRenamed),
    ]),
  );
}

test('any mixture of the names of JSON and protobuf is read the same', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.boolean()), (choices) => {
      const isRenamed = () => choices.next().value;
      const spans = JSON.stringify(withProtobufNames(SPAN_OF_ALL_MEMBERS, isRenamed));
      expect(readTraces(spans)).toEqual(readTraces(JSON.stringify(SPAN_OF_ALL_MEMBERS)));
      const logs = JSON.stringify(withProtobufNames(LOG_OF_ALL_MEMBERS, isRenamed));
      expect(readLogs(logs)).toEqual(readLogs(JSON.stringify(LOG_OF_ALL_MEMBERS)));
    }),
  );
  const all = JSON.stringify(withProtobufNames(SPAN_OF_ALL_MEMBERS, () => true));
  expect(JSON.stringify(readTraces(all))).toContain('"droppedEventsCount":4');
});

test.each([
  ['{}'],
  ['{"resourceSpans":[]}'],
  ['{"resource_spans":null}'],
  ['{"resourceSpans":[{"resource":{"attributes":[]},"schemaUrl":"u","scopeSpans":[{"scope":{},"spans":[]}]}]}'],
])('a request without spans is empty: %s', (text) => {
  expect(JSON.stringify(readTraces(text))).not.toContain('spans":[{');
});

test.each([
  ['{"spans":[{}]}', '"spans" is not a member of a request for /v1/traces, "resourceSpans" is'],
  ['{"ResourceSpans":[{}]}', '"ResourceSpans" is not a member'],
  [
    '{"resourceSpans":[{"scopeSpans":[]},{"instrumentationLibrarySpans":[{"spans":[{}]}]}]}',
    '"resourceSpans[1].instrumentationLibrarySpans" is not a member of a request for /v1/traces, "scopeSpans" is; this is the protocol before version 0.19 of 2022: update the exporter',
  ],
  ['{"resource_spans":[{"instrumentation_library_spans":[{}]}]}', 'update the exporter'],
  ['{"resourceSpans":[{"scopeSpans":[{"span":[{}]}]}]}', '"resourceSpans[0].scopeSpans[0].span" is not a member'],
  [
    '{"resourceLogs":[{}]}',
    '"resourceLogs" is not a member of a request for /v1/traces, "resourceSpans" is; send it to /v1/logs',
  ],
  ['{"resource_metrics":[{}]}', 'send it to /v1/metrics'],
])('a body of which nothing is understood is refused: %s', (text, sentence) => {
  expect(() => readTraces(text)).toThrow(
    expect.objectContaining({ code: 'SerializationException', message: expect.stringContaining(sentence) }),
  );
});

test('a request for logs of which nothing is understood is refused', () => {
  expect(() => readLogs('{"resourceSpans":[{}]}')).toThrow('"resourceLogs" is; send it to /v1/traces');
  expect(readLogs('{}')).toEqual({});
});

test('beside spans, unknown members are ignored, as the protocol asks', () => {
  expect(
    plain(readTraces('{"later":1,"resourceSpans":[{"later":1,"scopeSpans":[{"spans":[{"name":"a"}]}]}]}')),
  ).toEqual({
    resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: '', spanId: '', name: 'a' }] }] }],
  });
});
