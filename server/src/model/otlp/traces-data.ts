import { assembleTrace } from '../assemble.ts';
import type { Document, Entity } from '../entity.ts';
import type { EntityId } from '../trace-id.ts';
import { serviceSegmentId } from './ids.ts';
import { spansOfEntities } from './residual.ts';
import type { EntityInPlace } from './span-of-entity.ts';
import type { ResourceSpans, SpanInPlace, TracesData } from './types.ts';

/**
 * A trace as OpenTelemetry tells it, by start: each span as it was received, each X-Ray entity as a span that holds all of it.
 * `documents` are those of one trace, in any order.
 */
export function tracesDataOf(documents: readonly Document[]): TracesData {
  const trace = assembleTrace(documents);
  const spans = receivedSpans(documents);
  const standIns = new Set([...spans.values()].map(({ span }) => serviceSegmentId(span.traceId, span.spanId)));
  const own = [...(trace?.entities.values() ?? [])].filter(({ id }) => !spans.has(id) && !standIns.has(id));
  const converted = spansOfEntities(own.map((entity) => inPlace(entity, trace?.segmentOf.get(entity.id))));
  const all = [...spans.values(), ...converted].sort(byStart);
  return { resourceSpans: all.map(resourceSpansOf) };
}

function inPlace(entity: Entity, segment: Entity | undefined): EntityInPlace {
  return { ...entity, segment: (segment ?? entity).fields, isFromSpan: false };
}

/** Of several versions of a span the first finished one, else the latest, as `assembleTrace` chooses. */
function receivedSpans(documents: readonly Document[]): Map<EntityId, SpanInPlace> {
  const chosen = new Map<EntityId, SpanInPlace>();
  for (const document of [...documents].sort((a, b) => a.seq - b.seq)) {
    if (document.format !== 'otlp') continue;
    if (chosen.get(document.id)?.span.endTimeUnixNano === undefined) chosen.set(document.id, document.span);
  }
  return chosen;
}

/** To the nanosecond, which a number can not tell. */
function byStart({ span: a }: SpanInPlace, { span: b }: SpanInPlace): number {
  const apart = BigInt(a.startTimeUnixNano ?? 0) - BigInt(b.startTimeUnixNano ?? 0);
  if (apart !== 0n) return apart < 0n ? -1 : 1;
  return a.spanId < b.spanId ? -1 : 1;
}

/** The message that holds this one span. */
export function resourceSpansOf({
  resource,
  resourceSchemaUrl,
  scope,
  scopeSchemaUrl,
  span,
}: SpanInPlace): ResourceSpans {
  return { resource, scopeSpans: [{ scope, spans: [span], schemaUrl: scopeSchemaUrl }], schemaUrl: resourceSchemaUrl };
}
