import { printJson } from '../../exact-json.ts';
import type { JsonObject } from '../../json.ts';
import { differenceOf } from '../../json-difference.ts';
import type { SpanWithResource } from '../../otlp-messages.ts';
import { formatTraceId } from '../../trace-id.ts';
import { ROUND_TRIP_ATTRIBUTE, ROUND_TRIP_VERSION } from '../round-trip-keys.ts';
import { type EntityWithSegment, entityToPlainSpan } from '../to-otlp/entity-to-span.ts';
import { spanToEntities } from '../to-xray/span-to-entities.ts';
import { spanFingerprint } from './fingerprint.ts';
import { restoreSpan } from './restore-span.ts';
import { roundTripDataIn } from './span-round-trip-data.ts';

/**
 * X-Ray entities of one trace as spans, in their order. An entity that was made from a span gives that span. Any other
 * gives a span whose attribute `openray.xray` holds what the span cannot express of the entity.
 */
export function entitiesToSpans(entities: readonly EntityWithSegment[]): readonly SpanWithResource[] {
  const synthetic = new Map<string, EntityWithSegment>();
  for (const entity of entities) if (roundTripDataIn(entity.fields)?.synthetic) synthetic.set(entity.id, entity);
  return entities.flatMap((entity) => {
    const data = roundTripDataIn(entity.fields);
    if (data === undefined) return [spanWithRoundTripData(entity)];
    if (data.synthetic) return [];
    const parent = synthetic.get(entity.parentId ?? '');
    const parentId = parent === undefined ? entity.parentId : parent.parentId;
    const translated = entityToPlainSpan({ ...entity, parentId, isFromSpan: true });
    return [restoreSpan(translated, data, entity)];
  });
}

function spanWithRoundTripData(entity: EntityWithSegment): SpanWithResource {
  const sent = entityToPlainSpan(entity);
  const [translated] = spanToEntities(sent, { indexed: new Set() });
  const { set, unset } = differenceOf(translated?.fields ?? {}, independentFields(entity));
  if (Object.keys(set).length === 0 && unset.length === 0) return sent;
  const fingerprint = spanFingerprint(sent.resource, sent.span);
  const text = printJson({ v: ROUND_TRIP_VERSION, set, unset, h: fingerprint });
  const attribute = { key: ROUND_TRIP_ATTRIBUTE, value: { stringValue: text } };
  return { ...sent, span: { ...sent.span, attributes: [...(sent.span.attributes ?? []), attribute] } };
}

/** The fields as an independent document has them: an inline subsegment has its ids from the document around it. */
function independentFields({ fields, kind, traceId, id, parentId }: EntityWithSegment): JsonObject {
  const { subsegments, ...own } = fields;
  if (kind === 'segment') return own;
  return { ...own, id, trace_id: formatTraceId(traceId), parent_id: parentId ?? '', type: 'subsegment' };
}
