import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arbitrarySpan } from '../../testing/arbitrary-span.ts';
import { spanWriter } from '../documents/stored-spans.ts';
import { splitFields } from './attribute-shape.ts';
import { type PackedSpan, packedSpan, unpackSpan } from './packed-span.ts';
import { encodeSpanHead, storedSpanPositions } from './stored-span.ts';

const [START_NS, END_NS] = [1_700_000_000_123_456_789n, 1_700_000_000_999_999_500n];
const [TRACE_ID, ID] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];

const field = (tag: number, ...value: readonly number[]) => Buffer.from([tag, value.length, ...value]);
const fixed = (tag: number, value: bigint) => {
  const bytes = Buffer.alloc(9, tag);
  bytes.writeBigUInt64LE(value, 1);
  return bytes;
};
const hexField = (tag: number, hex: string) => field(tag, ...Buffer.from(hex, 'hex'));

/** The fields of a span in the order of encoders. */
const CONTEXT = [field(26, 97, 61, 98), hexField(34, 'b7ad6b7169203332')];
const NAME = field(42, ...Buffer.from('GET /ü'));
const KIND = Buffer.from([48, 2]);
const TIMES = [fixed(57, START_NS), fixed(65, END_NS)];
const REST = [field(74, 10, 1, 97), Buffer.from([133, 1, 1, 1, 0, 0])];
const USUAL = [hexField(10, TRACE_ID), hexField(18, ID), ...CONTEXT, NAME, KIND, ...TIMES, ...REST];

const usOf = (ns: bigint) => Number((ns + 500n) / 1000n);
const COLUMNS = { traceId: TRACE_ID, id: ID, startUs: usOf(START_NS), endUs: usOf(END_NS) };
type Columns = typeof COLUMNS;

const LABELS = Buffer.concat([field(10, ...Buffer.from('shop')), Buffer.from([16, 2]), field(26, ...NAME.subarray(2))]);
const SHARED = Buffer.concat([field(42, 1, 2, 3), field(50)]);
const textOf = (span: Buffer) => Buffer.concat([LABELS, SHARED, encodeSpanHead(span.length), span]).toString('latin1');

/** The text that the columns of a stored text restore; undefined if it is not packed. */
function restored(text: string, { traceId, id, startUs, endUs }: Columns): string | undefined {
  const bytes = Buffer.from(text, 'latin1');
  const at = storedSpanPositions(text);
  const packed = packedSpan(bytes, at.span, bytes.length, {
    ids: Buffer.from(traceId + id, 'hex'),
    idsAt: 0,
    startUs,
    endUs,
    labels: bytes.subarray(0, at.shared),
    kindAt: at.kind,
  });
  if (packed === undefined) return undefined;
  const { shape, shapeBytes, values, valueBytes } = splitFields(bytes, packed);
  const body = bodyOf(packed, [values.subarray(0, valueBytes)]);
  const name = Buffer.from(packed.bytes.subarray(packed.contextEnd + 2, packed.nameEnd)).toString('utf8');
  const shared = text.slice(0, at.kind) + text.slice(at.shared, at.spanTag);
  const row = { traceId, id, startUs, endUs, shared, name, kind: packed.kind };
  const { contextStart, contextEnd, restStart, end } = packed;
  const unsplit = bodyOf(packed, [bytes.subarray(contextStart, contextEnd), bytes.subarray(restStart, end)]);
  const unpacked = unpackSpan({
    ...row,
    shape: shape.toString('latin1', 0, shapeBytes),
    body: body.toString('latin1'),
  });
  // As servers of earlier versions wrote the row.
  expect(unpackSpan({ ...row, shape: '', body: unsplit.toString('latin1') })).toBe(unpacked);
  expect(shapeBytes + body.length).toBe(unsplit.length);
  return unpacked;
}

function bodyOf({ startNs, endNs }: PackedSpan, fields: readonly Uint8Array[]): Buffer {
  const nanos = Buffer.alloc(4);
  nanos.writeInt16LE(startNs, 0);
  nanos.writeInt16LE(endNs, 2);
  return Buffer.concat([nanos, ...fields]);
}

test('a span of the usual form is packed and restored, with and without a parent', () => {
  for (const context of [CONTEXT, CONTEXT.slice(1), CONTEXT.slice(0, 1), []]) {
    const [trace, id, , , ...others] = USUAL as [Buffer, Buffer, Buffer, Buffer, ...Buffer[]];
    const text = textOf(Buffer.concat([trace, id, ...context, ...others]));
    expect(restored(text, COLUMNS)).toBe(text);
  }
});

test.each([
  ['has no name', [...USUAL.slice(0, 4), KIND, ...TIMES, ...REST]],
  ['has its fields in another order', [...USUAL.slice(0, 4), KIND, NAME, ...TIMES, ...REST]],
  ['has a second name', [...USUAL, field(42, 1)]],
  ['has its parent last', [...USUAL.slice(0, 2), NAME, KIND, ...TIMES, CONTEXT[1] as Buffer]],
  ['has not ended', [...USUAL.slice(0, 7), ...REST]],
  ['is cut off', USUAL.slice(0, 5)],
  ['is longer than the lengths of two bytes', [...USUAL, ...Array<Buffer>(200).fill(field(74, ...Array(100).fill(1)))]],
])('a span that %s is restored or not packed', (_, fields) => {
  const text = textOf(Buffer.concat(fields));
  expect([undefined, text]).toContain(restored(text, COLUMNS));
});

test.each([
  ['trace', { traceId: '1'.repeat(32) }],
  ['id', { id: '1'.repeat(16) }],
  ['start', { startUs: 0 }],
  ['end', { endUs: usOf(END_NS) + 1_000_000 }],
] as const)('a row with another %s does not pack the span', (_, other) => {
  expect(restored(textOf(Buffer.concat(USUAL)), { ...COLUMNS, ...other })).toBeUndefined();
});

test('any bytes are restored or not packed', () => {
  const usual = Buffer.concat(USUAL);
  const change = fc.tuple(
    fc.nat(usual.length - 1),
    fc.constantFrom(0, 1, 2, 3, 26, 34, 42, 48, 57, 65, 74, 127, 128, 255),
  );
  const cut = fc.nat(usual.length);
  fc.assert(
    fc.property(fc.array(change, { maxLength: 4 }), cut, cut, (changes, from, count) => {
      const span = Buffer.from(usual);
      for (const [at, value] of changes) span[at] = value;
      const text = textOf(Buffer.concat([span.subarray(0, from), span.subarray(from + (count % 12))]));
      expect([undefined, text]).toContain(restored(text, COLUMNS));
    }),
    { numRuns: 2_000 },
  );
});

test('times of any number of nanoseconds are restored', () => {
  const ns = fc.bigInt({ min: 0n, max: 8_000_000_000_000_000_000n });
  const [head, tail] = [USUAL.slice(0, 6), USUAL.slice(8)];
  fc.assert(
    fc.property(ns, ns, (startNs, endNs) => {
      const text = textOf(Buffer.concat([...head, fixed(57, startNs), fixed(65, endNs), ...tail]));
      expect(restored(text, { ...COLUMNS, startUs: usOf(startNs), endUs: usOf(endNs) })).toBe(text);
    }),
  );
});

test('any stored span is restored or not packed', () => {
  fc.assert(
    fc.property(arbitrarySpan, ({ span, ...around }) => {
      const { text, traceId, id, entities } = spanWriter(around, new Set())(span, 1);
      const startUs = Math.min(...entities.map((entity) => entity.startUs));
      const endUs = Math.max(...entities.map((entity) => entity.endUs ?? 0));
      expect([undefined, text]).toContain(restored(text, { traceId, id, startUs, endUs }));
    }),
  );
});
