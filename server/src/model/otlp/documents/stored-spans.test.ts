import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asJson, parseStored } from '../../parse-stored.ts';
import { arbitrarySpan } from '../../testing/arbitrary-span.ts';
import { labelsPrefix } from '../wire/stored-span.ts';
import { readJsonSpan, readStoredSpan, spanJson, spanWriter } from './stored-spans.ts';

const NO_KEYS = new Set<string>();
const indexedKeys = fc.constantFrom(NO_KEYS, new Set(['tenant', 'a-ü']), new Set(['*']));
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

test('any span is read as it was stored', () => {
  fc.assert(
    fc.property(arbitrarySpan, indexedKeys, fc.integer({ min: 1 }), ({ span, ...around }, indexed, seq) => {
      const document = spanWriter(around, indexed)(span, seq);
      const { alternativeEntities, span: read, ...rest } = readStoredSpan(document.text, seq);
      const { alternativeEntities: alternatives, span: stored, ...expected } = document;
      expect(rest).toEqual(expected);
      expect(alternativeEntities()).toEqual(alternatives());
      expect(plain(read)).toEqual(plain(stored));
    }),
  );
});

test('the text has a Latin-1 character for each byte, and begins with the service', () => {
  fc.assert(
    fc.property(arbitrarySpan, ({ span, ...around }) => {
      const { text } = spanWriter(around, NO_KEYS)(span, 1);
      expect(Buffer.from(text, 'latin1').toString('latin1')).toBe(text);
      const service = Buffer.from('é'.repeat(100));
      expect(Buffer.from(labelsPrefix(String(service)))).toEqual(
        Buffer.concat([Buffer.from([10, 200, 1]), service, Buffer.from([16])]),
      );
    }),
  );
});

test('a span that an older server stored as JSON is the same document', () => {
  fc.assert(
    fc.property(arbitrarySpan, indexedKeys, ({ span, ...around }, indexed) => {
      const document = spanWriter(around, indexed)(span, 1);
      const { format, text } = asJson('otlp-protobuf', document.text);
      expect([format, JSON.parse(text)]).toEqual(['otlp', JSON.parse(spanJson(document))]);
      expect(asJson('otlp', text)).toEqual({ format, text });
      const [read] = parseStored('otlp', text, 1);
      expect({ ...read, alternativeEntities: undefined }).toEqual({
        ...readJsonSpan(text, 1),
        alternativeEntities: undefined,
      });
      expect(read?.entities).toEqual(readStoredSpan(document.text, 1).entities);
    }),
  );
});

test.each([
  ['nothing', ''],
  ['a text', 'shop'],
  ['labels without a span', '\n\x04shop\x10\x03\x1a\x03GET'],
  ['a length beyond the end', '\n\x04shop\x10\x03\x1a\x7fGET'],
])('a body of %s is refused', (_, text) => {
  expect(() => readStoredSpan(text, 1)).toThrow(RangeError);
});
