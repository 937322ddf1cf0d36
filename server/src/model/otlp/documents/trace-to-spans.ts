import type { Document, Entity } from '../../entity.ts';
import type { SpanWithResource } from '../../otlp-messages.ts';
import type { Trace } from '../../trace.ts';
import { entitiesToSpans } from '../round-trip/entities-to-spans.ts';
import { serviceSegmentId } from '../to-xray/derived-ids.ts';
import { separateSharedIds } from './shared-ids.ts';

/** A span and the service that it belongs to, which is the name of its segment. */
export type TraceSpan = { readonly service: string; readonly spanWithResource: SpanWithResource };

/**
 * All spans and entities of a trace as spans, by start, parents before their children: spans as they were received,
 * X-Ray segments and subsegments as spans with all their data. `documents` are those of the trace.
 */
export function traceToSpans(trace: Trace, documents: readonly Document[]): readonly TraceSpan[] {
  const sent = sentSpans(documents);
  const unsent = [...trace.entities.values()].filter(({ id }) => !sent.has(id));
  // Each id is a hash: most traces need none.
  const syntheticIds = new Set<string>(
    unsent.length === 0 ? [] : Array.from(sent.keys(), (id) => serviceSegmentId(trace.id, id)),
  );
  const others = unsent.filter(({ id }) => !syntheticIds.has(id));
  const entities = [...trace.entities.values()].filter(({ id }) => sent.has(id) || !syntheticIds.has(id));
  const made = new Map(
    entitiesToSpans(
      others.map((entity) => ({
        ...entity,
        segment: (trace.segmentOf.get(entity.id) ?? entity).fields,
        isFromSpan: false,
      })),
    ).map((spanWithResource) => [spanWithResource.span.spanId, spanWithResource]),
  );
  const depths = depthsIn(trace);
  const depthOf = ({ spanWithResource }: TraceSpan) => depths.get(spanWithResource.span.spanId) ?? 0;
  return entities
    .flatMap((entity) => {
      const spanWithResource = sent.get(entity.id) ?? made.get(entity.id);
      return spanWithResource === undefined
        ? []
        : [{ service: serviceOf(entity, spanWithResource, trace), spanWithResource }];
    })
    .sort((a, b) => compareStarts(a.spanWithResource, b.spanWithResource) || depthOf(a) - depthOf(b));
}

/** The number of ancestors of each entity. */
function depthsIn({ entities, childrenOf }: Trace): ReadonlyMap<string, number> {
  const children = new Set(Array.from(childrenOf.values()).flat());
  const waiting = [...entities.values()]
    .filter((entity) => !children.has(entity))
    .map((entity) => ({ entity, depth: 0 }));
  const depths = new Map<string, number>();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { entity, depth } = next;
    depths.set(entity.id, depth);
    for (const child of childrenOf.get(entity.id) ?? []) waiting.push({ entity: child, depth: depth + 1 });
  }
  return depths;
}

function compareStarts({ span: a }: SpanWithResource, { span: b }: SpanWithResource): number {
  return compareNanos(a.startTimeUnixNano ?? '', b.startTimeUnixNano ?? '');
}

/** Compares whole numbers without leading zeros: the longer text is the larger number. */
function compareNanos(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Received spans by id, shared ids separated. Of several with one id the first finished one counts, else the latest. */
export function sentSpans(documents: readonly Document[]): ReadonlyMap<string, SpanWithResource> {
  const spans = new Map<string, SpanWithResource>();
  for (const document of separateSharedIds(documents).toSorted((a, b) => a.seq - b.seq)) {
    if (document.format !== 'otlp' || spans.get(document.id)?.span.endTimeUnixNano !== undefined) continue;
    spans.set(document.id, document.span);
  }
  return spans;
}

function serviceOf(entity: Entity, { resource }: SpanWithResource, { segmentOf }: Trace): string {
  const named = resource.attributes?.find(({ key }) => key === 'service.name')?.value?.stringValue;
  return segmentOf.get(entity.id)?.name ?? named ?? entity.name;
}
