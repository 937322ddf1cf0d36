import type { JsonObject } from '../../json.ts';
import { readTimeUs } from '../../time.ts';
import { readEntityId } from '../../trace-id.ts';
import type { EntityWithSegment } from './entity-to-span.ts';

/** The entity of an independent document, from the fields of the document. */
export function entityOfDocument(fields: JsonObject, segment: JsonObject = fields): EntityWithSegment {
  const traceId = String(fields.trace_id).replaceAll('-', '').slice(1).toLowerCase() as EntityWithSegment['traceId'];
  return {
    traceId,
    id: readEntityId(String(fields.id)) as EntityWithSegment['id'],
    parentId: typeof fields.parent_id === 'string' ? readEntityId(fields.parent_id) : undefined,
    kind: fields.type === 'subsegment' ? 'subsegment' : 'segment',
    startUs: readTimeUs(fields.start_time) ?? 0,
    endUs: readTimeUs(fields.end_time),
    fields,
    segment,
    isFromSpan: false,
  };
}
