import fc from 'fast-check';
import type { AnyValue, GetSpanResponse } from 'openray/api-types';
import { ExactNumber } from 'openray/model';
import { expect, test } from 'vitest';
import { nanosBetween, spanDetailsOf } from './span-details.ts';

const aSpan = (span: object, scopeFields: object = {}): GetSpanResponse => ({
  SentAs: 'otlp',
  ResourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }], droppedAttributesCount: 1 },
      schemaUrl: 'https://opentelemetry.io/schemas/1.27.0',
      scopeSpans: [
        {
          scope: { name: 'http', version: '1.0' },
          spans: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), ...span }],
          ...scopeFields,
        },
      ],
    },
  ],
  LogRecords: [],
});

test('kind, status, flags and dropped counts are texts', () => {
  const details = spanDetailsOf(
    aSpan({
      kind: 4,
      status: { code: 2, message: 'no stock' },
      flags: 0x301,
      droppedEventsCount: 1200,
      droppedLinksCount: 1,
    }),
  );
  expect(details).toMatchObject({
    kind: 'Producer',
    status: 'Error: no stock',
    flags: 'sampled, remote parent (0x301)',
    dropped: ['1,200 events of the span', '1 link of the span', '1 attribute of the resource'],
    scope: { name: 'http', version: '1.0' },
    resource: { attributes: [{ key: 'service.name', value: 'shop', type: 'string' }] },
  });
});

test('kinds and statuses of later versions of the protocol are shown as numbers', () => {
  expect(spanDetailsOf(aSpan({ kind: 9, status: { code: 7 } }))).toMatchObject({ kind: 'kind 9', status: 'code 7' });
});

test('every type of value is shown with its type', () => {
  const values: readonly (readonly [AnyValue, unknown, string])[] = [
    [{ stringValue: '' }, '', 'string'],
    [{ boolValue: false }, false, 'bool'],
    [{ intValue: '7' }, 7, 'int'],
    [{ intValue: '9223372036854775807' }, new ExactNumber('9223372036854775807'), 'int'],
    [{ doubleValue: '-0' }, new ExactNumber('-0'), 'double'],
    [{ doubleValue: 'NaN' }, 'NaN', 'double'],
    [{ bytesValue: 'AQI=' }, 'AQI=', 'bytes, in base64'],
    [{ arrayValue: { values: [{ intValue: '1' }, {}] } }, [1, null], 'array'],
    [{ kvlistValue: { values: [{ key: 'k', value: { boolValue: true } }] } }, { k: true }, 'map'],
    [
      { kvlistValue: { values: [{ key: 'big', value: { intValue: '9007199254740993' } }] } },
      { big: new ExactNumber('9007199254740993') },
      'map',
    ],
    [{}, null, 'empty'],
  ];
  const attributes = values.map(([value], index) => ({ key: String(index), value }));
  expect(spanDetailsOf(aSpan({ attributes }))?.attributes).toEqual(
    values.map(([, value, type], index) => ({ key: String(index), value, type })),
  );
});

test('a response without a span has no details', () => {
  expect(spanDetailsOf({ SentAs: 'otlp', ResourceSpans: [], LogRecords: [] })).toBeUndefined();
});

test('the difference of two times is exact to the nanosecond', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 63n), fc.integer({ min: -(2 ** 50), max: 2 ** 50 }), (from, difference) => {
      expect(nanosBetween(String(from), String(from + BigInt(difference)))).toBe(difference);
    }),
  );
});
