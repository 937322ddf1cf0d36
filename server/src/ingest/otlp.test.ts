import { expect, test } from 'vitest';
import type { Document } from '../model/entity.ts';
import { readStoredSpan } from '../model/otlp/documents/stored-spans.ts';
import { encodeTraces } from '../model/otlp/wire/encode.ts';
import type { Span, TracesData } from '../model/otlp-messages.ts';
import { newStats } from '../stats.ts';
import { DOCUMENT_ROW, type EncodedDocumentRow, readDocumentRow, storedTextOf } from '../store/document-row.ts';
import { sql } from '../store/sql.ts';
import { traceIdOf } from '../store/testing/documents.ts';
import { storeForThisFile } from '../store/testing/store-for-this-file.ts';
import { newAdmission } from './admission.ts';
import { acceptTraces, acceptTracesRequest, type OtlpContext } from './otlp.ts';

const store = await storeForThisFile();
let lastSeq = 1_790_000_000_000_000;
let lastTrace = 0;

function newContext(): OtlpContext {
  const notifications = { notify: () => undefined, subscribe: () => () => undefined };
  const admission = newAdmission({ queuedBytes: () => 0, queueMaxBytes: 1, heldMaxBytes: 0 });
  const nextSeq = (count = 1) => {
    lastSeq += count;
    return lastSeq - count + 1;
  };
  return { store, stats: newStats(), admission, notifications, nextSeq, indexed: new Set() };
}

const newTrace = () => traceIdOf(++lastTrace);
const spanId = (number: number) => number.toString(16).padStart(16, '0');
const EVENT = { name: 'exception', attributes: [{ key: 'exception.type', value: { stringValue: 'Boom' } }] };

function requestOf(spans: readonly Span[]): TracesData {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'http' }, spans }] }] };
}

async function storedSpans(traceId: string) {
  const rows = await store.query<EncodedDocumentRow>(sql`
    SELECT ${DOCUMENT_ROW} FROM documents
    WHERE documents.trace_id = unhex(${traceId}) AND format IN ('otlp-packed', 'otlp-protobuf') ORDER BY seq`);
  return rows.map(readDocumentRow).map((row) => readStoredSpan(storedTextOf(row).text, row.seq));
}

test('spans are numbered in the order of the request, rare ones too', async () => {
  const traceId = newTrace();
  const sent = [1, 2, 3, 4, 5].map((number) => ({
    traceId,
    spanId: spanId(number),
    startTimeUnixNano: '1790000000000000000',
    ...(number % 2 === 0 && { events: [EVENT] }),
  }));
  const context = newContext();
  const bytes = Buffer.from(encodeTraces(requestOf(sent)));
  expect(await acceptTracesRequest(bytes, 'protobuf', 'otlp-http', context)).toEqual({ rejected: 0, message: '' });
  const stored = await storedSpans(traceId);
  expect(stored.map(({ span }) => span.span)).toEqual(sent);
  const rows = await store.query(sql`
    SELECT lower(hex(id)) AS id, seq FROM entities WHERE trace_id = unhex(${traceId}) ORDER BY seq`);
  expect(rows).toEqual(stored.map(({ id, seq }) => ({ id, seq })));
  expect(context.stats.documents['otlp-http']).toMatchObject({ received: 5, stored: 5, rejected: 0, queued: 0 });
});

test('fields that openray does not know are stored as they were received', async () => {
  const traceId = newTrace();
  const unknown = Buffer.from([0xfa, 0x3e, 3, 1, 2, 3]);
  const field = (tag: number, parts: readonly Uint8Array[]) => {
    const content = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([tag, (content.length & 0x7f) | 0x80, content.length >> 7]), content]);
  };
  const span = field(18, [
    field(10, [Buffer.from(traceId, 'hex')]),
    unknown,
    field(18, [Buffer.from(spanId(1), 'hex')]),
    field(42, [Buffer.from('work')]),
  ]);
  // The spans come before the scope, and the scope before the resource.
  const scope = field(18, [unknown, span, field(10, [field(10, [Buffer.from('http')])])]);
  const request = field(10, [scope, unknown, field(10, [unknown]), field(26, [Buffer.from('schema')])]);
  await acceptTracesRequest(request, 'protobuf', 'otlp-http', newContext());
  const [stored] = await storedSpans(traceId);
  expect(stored?.span).toMatchObject({ resourceSchemaUrl: 'schema', scope: { name: 'http' }, span: { name: 'work' } });
  const body = Buffer.from(stored?.text ?? '', 'latin1');
  expect(body.toString('hex').split(unknown.toString('hex'))).toHaveLength(5);
});

test('nothing is stored of bytes that are not a message to their end', async () => {
  const traceId = newTrace();
  const whole = encodeTraces(requestOf([{ traceId, spanId: spanId(1) }]));
  const bytes = Buffer.concat([whole, Buffer.from([10, 40, 18, 60])]);
  const storing = acceptTracesRequest(bytes, 'protobuf', 'otlp-http', newContext());
  await expect(storing).rejects.toMatchObject({ code: 'SerializationException' });
  expect(await storedSpans(traceId)).toEqual([]);
});

test.each(['bytes', 'objects'])(
  'invalid spans in %s are rejected with reasons, and the others are stored',
  async (form) => {
    const traceId = newTrace();
    const spans = [
      { traceId, spanId: spanId(1) },
      { traceId: 'abcd', spanId: spanId(2) },
      { traceId, spanId: spanId(0) },
      { traceId, spanId: spanId(4), parentSpanId: 'ab' },
      { traceId, spanId: spanId(5) },
    ];
    const context = newContext();
    const result =
      form === 'objects'
        ? await acceptTraces(requestOf(spans), 'otlp-http', context)
        : await acceptTracesRequest(Buffer.from(encodeTraces(requestOf(spans))), 'protobuf', 'otlp-http', context);
    expect(result).toEqual({
      rejected: 3,
      message:
        `span ${spanId(2)}: trace id "abcd" is not 16 bytes with a bit set; ` +
        `span ${spanId(0)}: span id "${spanId(0)}" is not 8 bytes with a bit set; ` +
        `span ${spanId(4)}: parent span id "ab" is not 8 bytes`,
    });
    expect((await storedSpans(traceId)).map(({ id }) => id)).toEqual([spanId(1), spanId(5)]);
    expect(context.stats.documents['otlp-http']).toMatchObject({ received: 5, stored: 2, rejected: 3 });
    expect([...context.stats.rejections]).toEqual([
      ['InvalidTraceId', 1],
      ['InvalidId', 1],
      ['InvalidParentId', 1],
    ]);
  },
);

test('listeners for stored documents get the spans of a request, also when the rows were overwritten meanwhile', async () => {
  const received: string[] = [];
  const context = {
    ...newContext(),
    onStored: (documents: readonly Document[]) => received.push(...documents.map(({ id }) => id)),
  };
  const requests = [1, 3].map((number) => {
    const spans = [number, number + 1].map((id) => ({ traceId: newTrace(), spanId: spanId(id), name: `span ${id}` }));
    return acceptTraces(requestOf(spans), 'otlp-http', context);
  });
  await Promise.all(requests);
  expect(received.sort()).toEqual([1, 2, 3, 4].map(spanId));
});
