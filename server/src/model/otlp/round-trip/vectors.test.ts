import { expect, test } from 'vitest';
import type { JsonObject } from '../../json.ts';
import { readObject } from '../../json.ts';
import { FLAG, KIND, type SpanWithResource, STATUS } from '../../otlp-messages.ts';
import { aSegment, aSubsegment, received } from '../../testing/builders.ts';
import { A_PARENT_ID, A_SPAN_ID, aSpan } from '../../testing/spans.ts';
import { formatTraceId, readTraceId } from '../../trace-id.ts';
import { entityOfDocument } from '../to-otlp/entity-of-document.ts';
import { serviceSegmentId } from '../to-xray/derived-ids.ts';
import { entitiesToSpans } from './entities-to-spans.ts';
import { exactDocumentText } from './exact-document-text.ts';
import { restoreEntities } from './restore-entities.ts';
import { spanToDocuments } from './span-to-documents.ts';

/** Examples of the translation. Each is translated back and compared. */

const NONE = { indexed: new Set<string>() };

function documentsOf(entry: SpanWithResource, indexed: readonly string[] = []): readonly JsonObject[] {
  const documents = spanToDocuments(entry, { indexed: new Set(indexed) });
  const [back, ...more] = entitiesToSpans(documents.map((fields) => entityOfDocument(fields, documents[0])));
  expect(more).toEqual([]);
  const byKey = ({ span }: SpanWithResource) => ({
    ...span,
    attributes: [...(span.attributes ?? [])].sort((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1)),
  });
  expect(byKey(back as SpanWithResource)).toEqual(byKey(entry));
  return documents;
}

const documentOf = (entry: SpanWithResource, indexed?: readonly string[]) =>
  documentsOf(entry, indexed)[0] as JsonObject;
const roundTripDataOf = (document: JsonObject) => readObject(readObject(document.metadata)?.['openray.otlp']);
const attributeOf = ({ span }: SpanWithResource, key: string) => span.attributes?.find((one) => one.key === key)?.value;

/** The spans of a document. Checks that they are translated back to the same document. */
function spanOf(...fields: readonly JsonObject[]): readonly SpanWithResource[] {
  const [document] = received(...fields);
  const segment = document?.entities[0]?.fields ?? {};
  const spans = entitiesToSpans((document?.entities ?? []).map((one) => ({ ...one, segment, isFromSpan: false })));
  expect(spans.flatMap((entry) => restoreEntities(entry, NONE).map((entity) => ({ ...entity, fields: {} })))).toEqual(
    document?.entities.map((entity) => ({ ...entity, fields: {} })),
  );
  const [back] = restoreEntities(spans[0] as SpanWithResource, NONE);
  expect(back?.fields).toEqual(document?.entities[0]?.fields);
  return spans;
}

test('1: a trace id has two spellings', () => {
  const id = readTraceId('4bf92f3577b34da6a3ce929d0e0e4736');
  expect(id && formatTraceId(id)).toBe('1-4bf92f35-77b34da6a3ce929d0e0e4736');
  expect(readTraceId('1-4bf92f35-77b34da6a3ce929d0e0e4736')).toBe(id);
});

test('2: the first part of a trace id need not be a time', () => {
  const traceId = 'f'.repeat(32);
  expect(documentOf(aSpan({ traceId })).trace_id).toBe(`1-ffffffff-${'f'.repeat(24)}`);
});

test('3: nanoseconds are printed exactly, and kept for parsers that round them', () => {
  const entry = aSpan({ startTimeUnixNano: '1700000000123456789' });
  const document = documentOf(entry);
  expect(exactDocumentText(document, entry.span)).toContain('"start_time":1700000000.123456789,');
  expect(roundTripDataOf(document)).toMatchObject({ start: '1700000000123456789' });
});

test('4: milliseconds of a document are those of its span', () => {
  const [entry] = spanOf(aSegment({ start_time: 1700000000.123 }));
  expect(entry?.span.startTimeUnixNano).toBe('1700000000123000000');
});

test('5: a request with a client error is no failure of the server', () => {
  const document = documentOf(aSpan({ kind: KIND.server, attributes: { 'http.response.status_code': 404 } }));
  expect(document).toMatchObject({ error: true, http: { response: { status: 404 } } });
  expect(document).not.toHaveProperty('type');
  expect(document).not.toHaveProperty('cause');
  expect(document).not.toHaveProperty('fault');
  const [back] = spanOf(aSegment({ error: true, http: { response: { status: 404 } } }));
  expect(back?.span.status).toBeUndefined();
});

test('6: too many requests are throttled', () => {
  const entry = aSpan({
    kind: KIND.client,
    parentSpanId: A_PARENT_ID,
    status: { code: STATUS.error },
    attributes: { 'http.response.status_code': 429 },
  });
  expect(documentOf(entry)).toMatchObject({ type: 'subsegment', namespace: 'remote', error: true, throttle: true });
  const call = aSubsegment({ parent_id: A_PARENT_ID, namespace: 'remote', error: true, throttle: true });
  const [back] = spanOf({ ...call, http: { response: { status: 429 } } });
  expect(back?.span.status?.code).toBe(STATUS.error);
  expect(attributeOf(back as SpanWithResource, 'error.type')).toEqual({ stringValue: '429' });
});

test('7: a failure with an HTTP status of success is a fault, with the message as its exception', () => {
  const entry = aSpan({
    kind: KIND.server,
    status: { code: STATUS.error, message: 'boom' },
    attributes: { 'http.response.status_code': 200 },
  });
  expect(documentOf(entry)).toMatchObject({ fault: true, cause: { exceptions: [{ message: 'boom' }] } });
});

test('8: a status below 400 is not a failure', () => {
  const entry = aSpan({
    kind: KIND.client,
    parentSpanId: A_PARENT_ID,
    attributes: { 'http.response.status_code': 399 },
  });
  const document = documentOf(entry);
  expect([document.fault, document.error, document.throttle]).toEqual([undefined, undefined, undefined]);
  const call = aSubsegment({ parent_id: A_PARENT_ID, namespace: 'remote', http: { response: { status: 399 } } });
  expect(spanOf(call)[0]?.span.status).toBeUndefined();
});

test('9: a call without a parent is inside a segment of its service', () => {
  const entry = aSpan({
    kind: KIND.client,
    attributes: {
      'rpc.system': 'aws-api',
      'rpc.service': 'DynamoDB',
      'rpc.method': 'PutItem',
      'db.namespace': 'users',
    },
  });
  const [segment, call] = documentsOf(entry);
  const id = serviceSegmentId(entry.span.traceId, entry.span.spanId);
  expect(segment).toMatchObject({ id, name: 'api', start_time: 1716560000, end_time: 1716560000.5 });
  expect(call).toMatchObject({
    id: A_SPAN_ID,
    parent_id: id,
    name: 'DynamoDB',
    namespace: 'aws',
    aws: { operation: 'PutItem', table_name: 'users' },
  });
});

test('10: a message to a broker is a call to its destination', () => {
  const entry = aSpan({
    kind: KIND.producer,
    parentSpanId: A_PARENT_ID,
    attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'orders' },
  });
  const document = documentOf(entry);
  expect(document).toMatchObject({ type: 'subsegment', name: 'orders', namespace: 'remote' });
  expect(roundTripDataOf(document)).toMatchObject({ kind: KIND.producer });
});

test('11: a server span inside the process is a subsegment', () => {
  const entry = aSpan({ kind: KIND.server, parentSpanId: A_PARENT_ID, flags: 0x101 });
  const document = documentOf(entry);
  expect(document).toMatchObject({ type: 'subsegment' });
  expect(document).not.toHaveProperty('namespace');
  expect(roundTripDataOf(document)).toMatchObject({ kind: KIND.server });
});

test('12: work with a remote parent is a segment', () => {
  const entry = aSpan({ kind: KIND.internal, parentSpanId: A_PARENT_ID, flags: 0x301 });
  const document = documentOf(entry);
  expect(document).toMatchObject({ name: 'api', parent_id: A_PARENT_ID });
  expect(document).not.toHaveProperty('type');
  expect(roundTripDataOf(document)).toMatchObject({ kind: KIND.internal });
});

test('13: a double that happens to be whole stays a double', () => {
  const n = { key: 'n', value: { doubleValue: 1 } };
  const document = documentOf(aSpan({ attributes: [n] }));
  expect(document.metadata).toMatchObject({ default: { n: 1 } });
  expect(roundTripDataOf(document)).toMatchObject({ attrs: [n] });
});

test('14: an integer of 64 bits keeps all its digits', () => {
  const entry = aSpan({ attributes: [{ key: 'big', value: { intValue: '9007199254740993' } }] });
  expect(exactDocumentText(documentOf(entry, ['big']), entry.span)).toContain('"annotations":{"big":9007199254740993}');
});

test('15: a list is metadata instead of an annotation', () => {
  const entry = aSpan({ attributes: { tags: ['a', 'b'], 'aws.xray.annotations': ['tags'] } });
  const document = documentOf(entry);
  expect(document.metadata).toMatchObject({ default: { tags: ['a', 'b'] } });
  expect(document).not.toHaveProperty('annotations');
});

test('16: an exception of another entity is not an event', () => {
  const [entry] = spanOf(aSegment({ cause: '0123456789abcdef', fault: true }));
  expect(entry?.span.status).toEqual({ code: STATUS.error });
  expect(entry?.span.events).toBeUndefined();
});

test('17: a subsegment with a namespace that X-Ray does not know is work inside the process', () => {
  const [entry] = spanOf(aSubsegment({ parent_id: A_PARENT_ID, namespace: 'local' }));
  expect(entry?.span.kind).toBe(KIND.internal);
});

test('18: error and fault together, as the Node SDK writes them', () => {
  const http = { response: { status: 400 } };
  const [entry] = spanOf(aSubsegment({ parent_id: A_PARENT_ID, namespace: 'aws', error: true, fault: true, http }));
  expect(entry?.span.status?.code).toBe(STATUS.error);
  const { stringValue = '' } = attributeOf(entry as SpanWithResource, 'openray.xray') ?? {};
  expect(JSON.parse(stringValue)).toMatchObject({ set: { fault: true } });
});

test('19: a call is named after its host, although its span is named GET', () => {
  const entry = aSpan({
    kind: KIND.client,
    name: 'GET',
    parentSpanId: A_PARENT_ID,
    attributes: { 'http.request.method': 'GET', 'server.address': 'api.example.com' },
  });
  const document = documentOf(entry);
  expect(document.name).toBe('api.example.com');
  expect(roundTripDataOf(document)).toMatchObject({ name: 'GET' });
});

test('20: a function of Lambda', () => {
  const arn = 'arn:aws:lambda:eu-west-1:000000000000:function:f';
  const entry = aSpan(
    { kind: KIND.server },
    { 'service.name': 'f', 'cloud.platform': 'aws_lambda', 'cloud.resource_id': arn },
  );
  expect(documentOf(entry)).toMatchObject({ origin: 'AWS::Lambda::Function', resource_arn: arn });
});

test('21: other attributes of an exception event are kept', () => {
  const event = {
    timeUnixNano: '1716560000100000001',
    name: 'exception',
    attributes: [
      { key: 'exception.type', value: { stringValue: 'TypeError' } },
      { key: 'exception.message', value: { stringValue: 'no' } },
      { key: 'retry', value: { intValue: '2' } },
    ],
  };
  const document = documentOf(aSpan({ kind: KIND.server, status: { code: STATUS.error }, events: [event] }));
  expect(document.cause).toMatchObject({ exceptions: [{ type: 'TypeError', message: 'no' }] });
  expect(roundTripDataOf(document)).toMatchObject({ events: [event] });
});

test('22: if X-Ray spells two keys alike, the key that needs no change becomes the annotation', () => {
  const document = documentOf(aSpan({ attributes: { 'a-b': 1, a_b: 2 } }), ['a-b', 'a_b']);
  expect(document.annotations).toEqual({ a_b: 2 });
  expect(document.metadata).toMatchObject({ default: { 'a-b': 1 } });
});

test('23: the URL of a call has the port of the server, and the address of the server is not a client address', () => {
  const entry = aSpan({
    kind: KIND.client,
    parentSpanId: A_PARENT_ID,
    attributes: {
      'server.address': 'api.example.com',
      'server.port': 8443,
      'url.scheme': 'https',
      'url.path': '/x',
      'network.peer.address': '10.0.0.9',
    },
  });
  expect(documentOf(entry).http).toEqual({ request: { url: 'https://api.example.com:8443/x' } });
});

test('24: an inline subsegment has the trace of its document and its enclosing entity as parent', () => {
  const inline = aSubsegment({ trace_id: undefined, parent_id: undefined });
  const segment = aSegment({ subsegments: [inline] });
  const [document] = received(segment);
  const [above, below] = entitiesToSpans(
    (document?.entities ?? []).map((entity) => ({ ...entity, segment, isFromSpan: false })),
  );
  expect(below?.span).toMatchObject({ traceId: above?.span.traceId, parentSpanId: above?.span.spanId });
  expect(below?.span.flags).toBe(FLAG.sampled | FLAG.isRemoteKnown);
});

test('25: an empty value is a value', () => {
  const entry = aSpan({ attributes: [{ key: 'x', value: {} }] });
  expect(documentOf(entry).metadata).toMatchObject({ default: { x: null } });
});
