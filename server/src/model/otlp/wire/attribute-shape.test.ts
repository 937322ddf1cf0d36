import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AnyValue } from '../../otlp-messages.ts';
import { anyValue } from '../../testing/arbitrary-span.ts';
import { encode } from '../../testing/otlp-protocol.ts';
import { behindContext, isContext, joinFields, splitFields } from './attribute-shape.ts';

/** Both texts; checks that they restore the fields and are as long. */
function splitOf(fields: Buffer, context = Buffer.alloc(0)): { readonly shape: string; readonly values: string } {
  const around = Buffer.concat([Buffer.from([74, 1]), context, fields, Buffer.from([133, 1])]);
  const [contextStart, contextEnd] = [2, 2 + context.length];
  const ranges = { contextStart, contextEnd, restStart: contextEnd, end: contextEnd + fields.length };
  const { shape, shapeBytes, values, valueBytes } = splitFields(around, ranges);
  const split = {
    shape: shape.toString('latin1', 0, shapeBytes),
    values: values.toString('latin1', 0, valueBytes),
  };
  const joined = joinFields(split.shape, Buffer.from(split.values, 'latin1'));
  expect(joined.toString('latin1')).toBe(Buffer.concat([context, fields]).toString('latin1'));
  expect(behindContext(joined, 0)).toBe(context.length);
  expect(shapeBytes + valueBytes).toBe(context.length + fields.length);
  return split;
}

type Fields = { readonly attributes: Readonly<Record<string, AnyValue>>; readonly flags?: number };

/** The attributes and what follows them, as a span has them. */
function fieldsOf({ attributes, ...others }: Fields): Buffer {
  const keyValues = Object.entries(attributes).map(([key, value]) => ({ key, value }));
  return encode('Span', { attributes: keyValues, ...others });
}

test('spans with the same keys, types and flags have one shape; their values follow each other', () => {
  const first = splitOf(
    fieldsOf({ attributes: { tenant: { stringValue: 'acme' }, items: { intValue: '3' } }, flags: 257 }),
  );
  const second = splitOf(
    fieldsOf({ attributes: { tenant: { stringValue: 'zoo' }, items: { intValue: '70000' } }, flags: 257 }),
  );
  expect(first.values).toBe('\x04acme\x03');
  expect(second.values).toBe('\x03zoo\xf0\xa2\x04');
  expect(second.shape).toBe(first.shape);
});

test('the parent has its bytes before the values, and the tag in the shape', () => {
  const parent = Buffer.from([34, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
  const fields = fieldsOf({ attributes: { key: { stringValue: 'x'.repeat(34) } } });
  expect(splitOf(fields, parent)).toEqual({
    shape: `"\b${splitOf(fields).shape}`,
    values: `\x01\x02\x03\x04\x05\x06\x07\b${splitOf(fields).values}`,
  });
});

const context = fc
  .tuple(fc.option(fc.uint8Array({ maxLength: 140 })), fc.option(fc.uint8Array({ maxLength: 9 })))
  .map(([state, parent]) => Buffer.concat([...fieldWith(26, state), ...fieldWith(34, parent)]));
const fieldWith = (tag: number, value: Uint8Array | null) =>
  value === null ? [] : [Buffer.from([tag, value.length]), value];

test('values that no shape describes, and all later fields, are with the values', () => {
  const nested = { arrayValue: { values: [{ intValue: '1' }] } };
  const [plain, long, inside] = [{ boolValue: true }, { stringValue: 'x'.repeat(200) }, { doubleValue: 0.5 }];
  const { shape, values } = splitOf(
    Buffer.concat([
      fieldsOf({ attributes: { long, nested, empty: {}, plain, inside } }),
      encode('Span', { events: [{}] }),
    ]),
  );
  expect(shape).toContain('plain');
  for (const key of ['long', 'nested', 'empty']) expect(values).toContain(key);
  expect(values.endsWith('\x5a\x00')).toBe(true);
});

const attributes = fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 140 }), anyValue, {
  maxKeys: 8,
  noNullPrototype: true,
});

test('any attributes are restored, with any fields behind them', () => {
  const flags = fc.option(fc.constantFrom(1, 0x101, 0xffff_ffff), { nil: undefined });
  fc.assert(
    fc.property(context, attributes, fc.uint8Array({ maxLength: 12 }), flags, (before, given, behind, value) => {
      const fields = Buffer.concat([
        fieldsOf({ attributes: given }),
        behind,
        fieldsOf({ attributes: {}, ...(value !== undefined && { flags: value }) }),
      ]);
      fc.pre(!isContext(fields[0]));
      splitOf(fields, before);
    }),
  );
});

test('any bytes are restored', () => {
  const usual = fieldsOf({
    attributes: {
      text: { stringValue: 'GET' },
      long: { stringValue: 'y'.repeat(130) },
      int: { intValue: '300' },
      double: { doubleValue: 1.5 },
      empty: { stringValue: '' },
    },
    flags: 257,
  });
  const change = fc.tuple(
    fc.nat(usual.length - 1),
    fc.constantFrom(0, 1, 2, 3, 10, 16, 18, 24, 33, 58, 74, 127, 128, 133, 255),
  );
  const cut = fc.nat(usual.length);
  fc.assert(
    fc.property(fc.array(change, { maxLength: 4 }), cut, cut, (changes, from, count) => {
      const fields = Buffer.from(usual);
      for (const [at, value] of changes) fields[at] = value;
      const changed = Buffer.concat([fields.subarray(0, from), fields.subarray(from + (count % 12))]);
      fc.pre(!isContext(changed[0]));
      splitOf(changed);
    }),
    { numRuns: 5_000 },
  );
});

test('values that do not fit their shape are an error', () => {
  const { shape } = splitOf(fieldsOf({ attributes: { long: { stringValue: 'x'.repeat(200) } } }));
  expect(() => joinFields(shape, Buffer.alloc(0))).toThrow(RangeError);
});
