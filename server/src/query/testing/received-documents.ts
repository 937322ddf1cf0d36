import fc from 'fast-check';
import { type FilterSubject, subjectOf } from '../../filter/subject.ts';
import { assembleTrace } from '../../model/assemble.ts';
import type { Document } from '../../model/entity.ts';
import { parseJson, printJson } from '../../model/exact-json.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { readJsonSpan, spanJson, spanWriter } from '../../model/otlp/documents/stored-spans.ts';
import { entityToPlainSpan } from '../../model/otlp/to-otlp/entity-to-span.ts';
import { parseDocument } from '../../model/parse-document.ts';
import { arbitraryDelivery, arbitraryTrace } from '../../model/testing/arbitrary-trace.ts';
import { bodyBytesOf } from '../../store/body-bytes.ts';
import { TRACE_BOUNDS, type TraceBounds } from '../../store/trace-bounds.ts';

/** The first generated traces start about here, microseconds; the last SPREAD_US later. */
export const START_US = 1_716_560_000_000_000;
export const SPREAD_US = 3 * 3_600_000_000;
const SEED = 20_240_430;

/**
 * Documents of many traces, in an order of arrival that is unrelated to their times: late, repeated, in progress first,
 * without their parents, and some sent again with other times, another parent or other annotations.
 */
export function receivedDocuments(traceCount: number, seed = SEED): readonly Document[] {
  const deliveries = fc.sample(arbitraryTrace().chain(arbitraryDelivery), { numRuns: traceCount, seed });
  const amended = deliveries.map((delivery, trace) => {
    // Some minutes are dense, others are empty.
    const share = ((trace * 2_654_435_761) % 2 ** 32) / 2 ** 32;
    const laterS = trace % 3 === 0 ? (share * SPREAD_US) / 1e6 : Math.floor(share * 40) * 240;
    return delivery.flatMap((text, at) => {
      const dice = trace * 31 + at;
      const links = dice % 6 === 0 ? linksTo(deliveries[(trace * 7 + 3) % deliveries.length] ?? []) : {};
      return withOtherVersions(printJson({ ...shiftedInTime(parseJson(text) as JsonObject, laterS), ...links }), dice);
    });
  });
  const texts = amended.flatMap((delivery) => delivery.map((text, index) => ({ text, turn: index })));
  const mixed = [...texts].sort((a, b) => a.turn - b.turn);
  return mixed.flatMap(({ text }, index) => {
    const seq = START_US + index * 100;
    const parsed = parseDocument(text, seq).flatMap((result) => (result.ok ? [result.document] : []));
    return parsed.flatMap((document) => (isSentAsSpans(document) ? spanDocuments(document, seq) : [document]));
  });
}

/** A third of the traces came from OpenTelemetry, another third in part. */
function isSentAsSpans({ traceId, id }: Document): boolean {
  const [trace, entity] = [traceId, id].map((hex) => Number.parseInt(hex.slice(-2), 16));
  return (trace ?? 0) % 3 === 0 || ((trace ?? 0) % 3 === 1 && (entity ?? 0) % 2 === 0);
}

/**
 * The document as spans. As with some SDKs, a quarter does not say whether the parent is remote, and a quarter has
 * none.
 */
function spanDocuments(document: Document, seq: number): readonly Document[] {
  const segment = document.entities[0]?.fields ?? {};
  return document.entities.map((entity, index) => {
    const plain = entityToPlainSpan({ ...entity, segment, isFromSpan: false });
    const oddity = Number.parseInt(entity.id.slice(-1), 16) % 4;
    const flags = oddity === 0 ? undefined : plain.span.flags;
    const parentSpanId = oddity === 1 ? undefined : plain.span.parentSpanId;
    const stored = spanWriter(plain, new Set())({ ...plain.span, flags, parentSpanId }, seq + index);
    return isOfOlderServer(document) ? readJsonSpan(spanJson(stored), stored.seq) : stored;
  });
}

/** Half of the traces were stored by a server that stored spans as JSON. */
function isOfOlderServer({ traceId }: Document): boolean {
  return Number.parseInt(traceId.slice(-3, -2), 16) % 2 === 0;
}

/** The links by which the consumer of a message names its producers. */
function linksTo(delivery: readonly string[]): JsonObject {
  const producers = delivery.slice(0, 2).map((text) => parseJson(text) as JsonObject);
  return { links: producers.map(({ trace_id = '', id = '' }) => ({ trace_id, id, attributes: {} })) };
}

/** Sometimes with another version before or after it; `assembleTrace` decides which one counts. */
function withOtherVersions(text: string, dice: number): readonly string[] {
  const document = parseJson(text) as JsonObject;
  const stretched = (seconds: number): JsonObject => ({
    ...document,
    start_time: shiftedSeconds(document.start_time, -seconds),
    ...(document.end_time !== undefined && { end_time: shiftedSeconds(document.end_time, 2 * seconds) }),
  });
  switch (dice % 23) {
    case 0:
      return [text, printJson(stretched(0.25))];
    case 1:
      return [printJson(stretched(0.5)), text];
    case 2: {
      const { parent_id, type, ...orphaned } = document;
      return [text, printJson(type === undefined ? orphaned : document)];
    }
    case 3: {
      const { end_time, ...unfinished } = stretched(1.5);
      return [printJson({ ...unfinished, in_progress: true, annotations: { tier: 'lead' } }), text];
    }
    case 4:
      return document.end_time === undefined
        ? [text]
        : [printJson({ ...document, end_time: shiftedSeconds(document.start_time, -0.1) })];
    case 5:
      return [text, printJson(stretched(200))];
    default:
      return [text];
  }
}

/** The entity and all its subsegments, some seconds later. */
function shiftedInTime(entity: JsonObject, seconds: number): JsonObject {
  const { start_time, end_time, subsegments } = entity;
  return {
    ...entity,
    start_time: shiftedSeconds(start_time, seconds),
    ...(end_time !== undefined && { end_time: shiftedSeconds(end_time, seconds) }),
    ...(Array.isArray(subsegments) && {
      subsegments: subsegments.map((inner: JsonObject) => shiftedInTime(inner, seconds)),
    }),
  };
}

/** Adds in whole microseconds, so that no time is rounded. */
function shiftedSeconds(seconds: JsonValue | undefined, by: number): number {
  return (Math.round(Number(seconds) * 1e6) + Math.round(by * 1e6)) / 1e6;
}

/** The first part of the documents of a trace that exceeds the bounds, else all of them. */
function firstPartOf(documents: readonly Document[], bounds: TraceBounds): readonly Document[] {
  const seqs = [...new Set(documents.map(({ seq }) => seq))].sort((a, b) => a - b);
  const through = (last: number) => documents.filter(({ seq }) => seq <= last);
  const fits = (last: number) => {
    const bytes = through(last).reduce((sum, document) => sum + bodyBytesOf(document), 0);
    return through(last).length <= bounds.documents && bytes <= bounds.bytes;
  };
  return through(seqs.findLast(fits) ?? seqs[0] ?? 0);
}

/** The traces that the pure functions assemble from all the documents within the bounds. */
export function subjectsOf(documents: readonly Document[], bounds = TRACE_BOUNDS): readonly FilterSubject[] {
  const byTrace = new Map<string, Document[]>();
  for (const document of documents) {
    const ofTrace = byTrace.get(document.traceId);
    if (ofTrace) ofTrace.push(document);
    else byTrace.set(document.traceId, [document]);
  }
  return [...byTrace.values()].flatMap((ofTrace) => {
    const trace = assembleTrace(firstPartOf(ofTrace, bounds));
    return trace === undefined ? [] : [subjectOf(trace)];
  });
}
