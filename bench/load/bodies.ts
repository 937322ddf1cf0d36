import type { JsonObject } from '../../server/src/model/json.ts';
import { anyValueOf } from '../../server/src/model/otlp/any-value.ts';
import { entityToPlainSpan } from '../../server/src/model/otlp/to-otlp/entity-to-span.ts';
import { resourceSpansOf } from '../../server/src/model/otlp/wire/resource-spans.ts';
import type { KeyValue, SpanWithResource } from '../../server/src/model/otlp-messages.ts';
import { parseDocument } from '../../server/src/model/parse-document.ts';
import { encode } from '../../server/src/model/testing/otlp-protocol.ts';
import { type Dataset, generateTraces } from './generate.ts';

/** About 512 spans, the batch size of OpenTelemetry's SDKs. */
const TRACES_A_REQUEST = 50;
export const SPANS_A_REQUEST = TRACES_A_REQUEST * 10;
/** Most documents of a PutTraceSegments call. */
const DOCUMENTS_PER_CALL = 50;
const DAEMON_HEADER = '{"format":"json","version":1}\n';

export type BodyFormat = 'otlp' | 'xray' | 'datagram';

/** The traces [first, last) as bodies of requests, or as datagrams. */
export function makeBodies(format: BodyFormat, dataset: Dataset, first: number, last: number): readonly Buffer[] {
  switch (format) {
    case 'otlp':
      return otlpBodies(dataset, first, last);
    case 'xray':
      return inBatches(documentsOf(dataset, first, last), DOCUMENTS_PER_CALL).map((batch) =>
        Buffer.from(JSON.stringify({ TraceSegmentDocuments: batch })),
      );
    case 'datagram':
      return documentsOf(dataset, first, last).map((document) => Buffer.from(DAEMON_HEADER + document));
  }
}

function documentsOf(dataset: Dataset, first: number, last: number): readonly string[] {
  return [...generateTraces(dataset, first, last)].flatMap(({ documents }) => documents);
}

function inBatches<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, batch) => items.slice(batch * size, (batch + 1) * size));
}

/** Requests of OpenTelemetry's exporters. */
export function otlpBodies(dataset: Dataset, from: number, to: number): readonly Buffer[] {
  const bodies: Buffer[] = [];
  for (let first = from; first < to; first += TRACES_A_REQUEST) {
    const last = Math.min(first + TRACES_A_REQUEST, to);
    const spans = documentsOf(dataset, first, last).flatMap(spansOf);
    bodies.push(encode('TracesData', { resourceSpans: resourceSpansOf(spans) }));
  }
  return bodies;
}

/** The document's segment and subsegments as spans of an instrumented service. */
function spansOf(text: string): readonly SpanWithResource[] {
  return parseDocument(text, 1).flatMap((parsed) => {
    if (!parsed.ok) throw new Error(parsed.message);
    const { entities } = parsed.document;
    const segment = entities[0]?.fields ?? {};
    return entities.map((entity) => instrumented(entityToPlainSpan({ ...entity, segment, isFromSpan: false })));
  });
}

/**
 * Turns annotations and metadata into plain attributes: only translated X-Ray documents have `aws.xray.…` attributes.
 */
function instrumented(entry: SpanWithResource): SpanWithResource {
  const attributes = (entry.span.attributes ?? []).flatMap((attribute): readonly KeyValue[] => {
    if (attribute.key === 'aws.xray.annotations') return [];
    if (attribute.key !== 'aws.xray.metadata.default') return [attribute];
    const members = JSON.parse(attribute.value?.stringValue ?? '{}') as JsonObject;
    return Object.entries(members).map(([key, value]) => ({ key, value: anyValueOf(value) }));
  });
  return { ...entry, span: { ...entry.span, attributes } };
}
