import fc from 'fast-check';
import { expect, test } from 'vitest';
import { leanDocument } from '../model/lean-document.ts';
import { readStoredSpan } from '../model/otlp/documents/stored-spans.ts';
import { newBoundedReader } from '../model/otlp/wire/bounded-reader.ts';
import { resourceSpansOf } from '../model/otlp/wire/resource-spans.ts';
import type { AnyValue, SpanWithResource } from '../model/otlp-messages.ts';
import { anyValue, arbitrarySpan, spanIdText, traceIdText } from '../model/testing/arbitrary-span.ts';
import { encode } from '../model/testing/otlp-protocol.ts';
import { leanRecordAt, recordCount } from '../store/lean-batch.ts';
import { traceIdAt } from '../store/lean-heads.ts';
import { createRowBuffer, writtenBytes } from '../store/row-binary.ts';
import { readDocumentRows, writeDocument, writeEntities } from '../store/write/rows.ts';
import { newSharedTexts } from '../store/write/shared-texts.ts';
import { scopesIn } from './otlp-scopes.ts';
import { sharedRowsOf } from './otlp-shared-rows.ts';
import { newSpanBatch, numberSpans } from './otlp-span-batch.ts';
import { writeCommonSpan } from './otlp-span-rows.ts';

const NO_KEYS = new Set<string>();
const SERVER = 7;

/** Rows of the common spans of a request, and what the way over objects writes for the same documents. */
function rowsOf(request: Buffer) {
  const reader = newBoundedReader(request);
  const batch = newSpanBatch();
  for (const { resourceSpans, scopeSpans, spans } of scopesIn(reader)) {
    const shared = sharedRowsOf(resourceSpans, scopeSpans, NO_KEYS);
    for (let at = 0; at < spans.length; at += 2) {
      const before = batch.entityStarts.length;
      reader.pos = spans[at] as number;
      const isCommon = writeCommonSpan(reader, spans[at + 1] as number, shared, SERVER, batch);
      if (isCommon) batch.spans.push(batch.entityStarts.length - before);
    }
  }
  const { entities, documents, lean } = numberSpans(batch, () => 1_790_000_000_000_000, SERVER);
  const { records } = lean;
  const expected = { entities: createRowBuffer(), documents: createRowBuffer() };
  const stored = readDocumentRows(Buffer.from(writtenBytes(documents))).map((row) => readStoredSpan(row.text, row.seq));
  const texts = newSharedTexts();
  for (const document of stored) {
    writeEntities(expected.entities, document, texts);
    writeDocument(expected.documents, document, SERVER);
  }
  return {
    leanDocuments: Array.from({ length: recordCount(records) }, (_, at) =>
      leanRecordAt(records, at, traceIdAt(records.heads, at)),
    ),
    expectedLean: stored.map(leanDocument),
    written: [entities, documents].map(textOf),
    expected: [expected.entities, expected.documents].map(textOf),
  };
}

const textOf = (rows: Parameters<typeof writtenBytes>[0]) => Buffer.from(writtenBytes(rows)).toString('latin1');
const requestOf = (spans: readonly SpanWithResource[]) =>
  encode('TracesData', { resourceSpans: resourceSpansOf(spans) });

const KEYS =
  `http.request.method http.method http.request.method_original http.response.status_code http.status_code url.full
  url.path url.query url.scheme http.url http.target http.host http.scheme http.route server.address server.port
  net.peer.name net.peer.ip net.host.name client.address network.peer.address network.peer.port user_agent.original
  http.response.body.size http.response_content_length rpc.system rpc.service rpc.method rpc.grpc.status_code
  rpc.status_code db.system db.system.name db.namespace db.name db.query.text db.statement db.user db.connection_string
  messaging.system messaging.destination.name messaging.destination enduser.id user.id error.type peer.service
  service.peer.name host.name tenant a-b a_b thread.id code.function ünïcode 42 user exception.type`.split(/\s+/);

const text = fc.oneof(
  fc.constantFrom(
    'GET',
    '_OTHER',
    'postgresql',
    'redis',
    'https://api.example.com:8443/x?y=1',
    '/x',
    '10.0.0.9',
    '404',
  ),
  fc.constantFrom('x'.repeat(123), 'x'.repeat(124), 'é'.repeat(70), 'y'.repeat(240), 'ab'.repeat(2_000), '', '0'),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
);
const value: fc.Arbitrary<AnyValue> = fc.oneof(
  { weight: 6, arbitrary: text.map((stringValue) => ({ stringValue })) },
  { weight: 2, arbitrary: fc.constantFrom('200', '404', '429', '500', '8080').map((intValue) => ({ intValue })) },
  { weight: 1, arbitrary: anyValue.filter((one) => !('arrayValue' in one || 'kvlistValue' in one)) },
);
const nanos = fc.constantFrom(
  '1790000000123456789',
  '1790000000000000500',
  '1790000001000000499',
  '99',
  '999',
  '18446744073709551615',
);

const commonSpan: fc.Arbitrary<SpanWithResource['span']> = fc
  .record({
    ids: fc.record({ traceId: fc.oneof(traceIdText, fc.constant('5'.repeat(32))), spanId: spanIdText }),
    attributes: fc.uniqueArray(fc.record({ key: fc.constantFrom(...KEYS), value }), {
      maxLength: 10,
      selector: ({ key }) => key,
    }),
    rest: fc.record(
      {
        traceState: text,
        parentSpanId: fc.oneof(spanIdText, fc.constantFrom('', '0'.repeat(16))),
        flags: fc.constantFrom(1, 0x101, 0x300, 0x301, 0xffff_ffff),
        name: fc.oneof(text, fc.constant('GET /orders/{id}')),
        kind: fc.constantFrom(1, 2, 3, 4, 5, 77, -1),
        startTimeUnixNano: nanos,
        endTimeUnixNano: nanos,
        droppedAttributesCount: fc.integer({ min: 1 }),
        droppedEventsCount: fc.integer({ min: 1 }),
        droppedLinksCount: fc.integer({ min: 1 }),
        status: fc.constantFrom({ code: 1 }, { message: 'odd' }),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ ids, attributes, rest }) => ({ ...rest, ...ids, ...(attributes.length > 0 && { attributes }) }));

const RESOURCE_KEYS =
  `service.name service.instance.id service.version cloud.provider cloud.platform cloud.account.id host.id
  host.type cloud.availability_zone telemetry.sdk.name telemetry.sdk.language process.command_args x`.split(/\s+/);
const resource = fc.record(
  {
    attributes: fc.array(
      fc.record({
        key: fc.constantFrom(...RESOURCE_KEYS),
        value: fc.oneof(
          value,
          fc.constantFrom('aws', 'aws_ec2', 'aws_ecs', 'i-1').map((one) => ({ stringValue: one })),
          anyValue,
        ),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  },
  { requiredKeys: [] },
);
const aroundSpan = fc.record({
  resource,
  scope: fc.constantFrom({}, { name: 'http', version: '1' }),
  resourceSchemaUrl: fc.option(
    text.filter((one) => one !== ''),
    { nil: undefined },
  ),
  scopeSchemaUrl: fc.constant(undefined),
});

test('rows and lean documents of common spans are those of the way over objects, byte for byte', () => {
  let common = 0;
  let all = 0;
  fc.assert(
    fc.property(aroundSpan, fc.array(commonSpan, { minLength: 1, maxLength: 4 }), (around, spans) => {
      // Twice, and again: attributes that come twice in a row are cached.
      const sent = [...spans, ...spans].map((span) => ({ ...around, span }));
      const request = requestOf(sent);
      for (let time = 0; time < 2; time++) {
        const { written, expected, leanDocuments, expectedLean } = rowsOf(request);
        expect(written).toEqual(expected);
        expect(leanDocuments).toEqual(expectedLean);
        all += sent.length;
        common += leanDocuments.length;
      }
    }),
    { numRuns: 1_000 },
  );
  expect(common / all).toBeGreaterThan(0.5);
});

test('attributes of one span that share a place in the cache keep their values', () => {
  // Of 90 attributes one of the second half shares its place with one of the first in every fifth span.
  const spans = Array.from({ length: 40 }, (_, span) => ({
    traceId: '1'.padStart(32, '0'),
    spanId: String(span + 1).padStart(16, '0'),
    attributes: Array.from({ length: 90 }, (_value, index) => ({
      key: `key-${index}`,
      value: { stringValue: `value ${span * 7919 + index * 104_729}` },
    })),
  }));
  // An attribute is cached when it comes twice in a row: the first half of a span, then the others beside it.
  const sent = spans.flatMap((span) => {
    const half = { ...span, attributes: span.attributes.slice(0, 45) };
    return [half, half, span, span, span];
  });
  const around = { resource: {}, scope: {}, resourceSchemaUrl: undefined, scopeSchemaUrl: undefined };
  const request = requestOf(sent.map((span) => ({ ...around, span })));
  const { written, expected, leanDocuments } = rowsOf(request);
  expect(leanDocuments).toHaveLength(sent.length);
  expect(written).toEqual(expected);
});

test('rows and lean documents of any spans are those of the way over objects, if they are written at all', () => {
  fc.assert(
    fc.property(fc.array(arbitrarySpan, { maxLength: 4 }), (spans) => {
      const { written, expected, leanDocuments, expectedLean } = rowsOf(requestOf(spans));
      expect(written).toEqual(expected);
      expect(leanDocuments).toEqual(expectedLean);
    }),
  );
});
