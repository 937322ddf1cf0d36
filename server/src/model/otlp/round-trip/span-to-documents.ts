import type { JsonObject } from '../../json.ts';
import { asJson, isSameJson } from '../../json-difference.ts';
import type { KeyValue, Resource, Scope, SpanWithResource } from '../../otlp-messages.ts';
import { ROUND_TRIP_VERSION } from '../round-trip-keys.ts';
import { entityToPlainSpan } from '../to-otlp/entity-to-span.ts';
import type { TranslationContext } from '../to-xray/span-to-entities.ts';
import { documentFingerprint } from './fingerprint.ts';
import { restoreEntities } from './restore-entities.ts';
import { type SpanRoundTripData, withRoundTripData } from './span-round-trip-data.ts';

/**
 * The one or two documents of a span (see `spanToEntities`), with the data from which `entitiesToSpans` restores the
 * same span. Print them with `exactDocumentText`.
 */
export function spanToDocuments(
  spanWithResource: SpanWithResource,
  context: TranslationContext,
): readonly JsonObject[] {
  const entities = restoreEntities(spanWithResource, context);
  // As a reader parses them: printing changes some numbers.
  const documents = entities.map(({ fields }) => asJson(fields) as JsonObject);
  const segment = documents[0] as JsonObject;
  return documents.map((fields, index) => {
    const entity = entities[index];
    if (entity === undefined || entity.id !== spanWithResource.span.spanId) {
      return withRoundTripData(fields, { v: ROUND_TRIP_VERSION, synthetic: true });
    }
    const translated = entityToPlainSpan({ ...entity, fields, segment, isFromSpan: true });
    const data = roundTripDataOf(spanWithResource, translated);
    return withRoundTripData(fields, { ...data, h: documentFingerprint(fields) });
  });
}

/** The members of a span that its translated document does not give back. */
function roundTripDataOf(sent: SpanWithResource, translated: SpanWithResource): SpanRoundTripData {
  const { span } = sent;
  const resource = { ...sent.resource, schemaUrl: sent.resourceSchemaUrl };
  const scope = { ...sent.scope, schemaUrl: sent.scopeSchemaUrl };
  const dropped = [span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount].map((n) => n ?? 0);
  const changed = <T>(wanted: T, given: T, empty: NonNullable<T>): NonNullable<T> | undefined =>
    isSameJson(wanted, given) ? undefined : (wanted ?? empty);
  return {
    v: ROUND_TRIP_VERSION,
    name: changed(span.name, translated.span.name, ''),
    kind: changed(span.kind, translated.span.kind, 0),
    flags: changed(span.flags, translated.span.flags, 0),
    state: span.traceState,
    start: changed(span.startTimeUnixNano, translated.span.startTimeUnixNano, '0'),
    end: changed(span.endTimeUnixNano, translated.span.endTimeUnixNano, '0'),
    status: changed(span.status, translated.span.status, {}),
    ...attributeChanges(span.attributes ?? [], translated.span.attributes ?? []),
    events: changed(span.events, translated.span.events, []),
    links: changed(span.links, translated.span.links, []),
    dropped: dropped.some((count) => count > 0) ? dropped : undefined,
    scope: changed<Scope>(scope, {}, {}),
    resource: changed<Resource>(resource, translated.resource, {}),
  };
}

function attributeChanges(
  wanted: readonly KeyValue[],
  translated: readonly KeyValue[],
): Pick<SpanRoundTripData, 'attrs' | 'drop'> {
  const given = new Map(translated.map(({ key = '', value }) => [key, value]));
  const counts = new Map<string, number>();
  for (const { key = '' } of wanted) counts.set(key, (counts.get(key) ?? 0) + 1);
  const attrs = wanted.filter(
    ({ key = '', value }) => counts.get(key) !== 1 || !given.has(key) || !isSameJson(given.get(key), value),
  );
  const drop = [...given.keys()].filter((key) => !counts.has(key));
  return { ...(attrs.length > 0 && { attrs }), ...(drop.length > 0 && { drop }) };
}
