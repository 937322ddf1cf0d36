import type { JaegerSpan, JaegerTag, JaegerTrace } from '../../model/jaeger.ts';
import { serviceSegmentId } from '../../model/otlp/to-xray/derived-ids.ts';
import type { TimeInterval } from '../../model/time-interval.ts';
import type { Trace } from '../../model/trace.ts';
import type { EntityId } from '../../model/trace-id.ts';

/** One span of a trace must match all conditions. Durations and times are whole microseconds. */
export type JaegerSearch = {
  readonly window: TimeInterval;
  readonly service: string;
  readonly operation: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly minDurationUs: number | undefined;
  readonly maxDurationUs: number | undefined;
  readonly limit: number;
};

/** Each search finds only such traces. */
export function hasEntityOf(service: string, { entities }: Trace): boolean {
  for (const { name } of entities.values()) if (name === service) return true;
  return false;
}

/**
 * Whether the search finds the trace, apart from the window: an entity has the name of the service, and one span
 * matches all conditions. A tag of a process counts if a segment of the trace has it, too: rows of other spans do not
 * have the resource.
 */
export function hasSpanFor(search: JaegerSearch, assembled: Trace, trace: JaegerTrace): boolean {
  if (!hasEntityOf(search.service, assembled)) return false;
  const processTags = new Set<string>();
  for (const { spanID, processID } of trace.spans) {
    if (!beginsSegment(assembled, spanID as EntityId)) continue;
    for (const tag of trace.processes[processID]?.tags ?? []) processTags.add(printedTag(tag));
  }
  return trace.spans.some((span) => matchesSearch(span, trace, search, processTags));
}

function beginsSegment({ id, entities }: Trace, spanId: EntityId): boolean {
  return entities.get(spanId)?.kind === 'segment' || entities.has(serviceSegmentId(id, spanId));
}

const printedTag = ({ key, value }: JaegerTag): string => `${key}=${value}`;

function matchesSearch(
  span: JaegerSpan,
  { processes }: JaegerTrace,
  search: JaegerSearch,
  processTags: ReadonlySet<string>,
): boolean {
  const process = processes[span.processID];
  if (process?.serviceName !== search.service) return false;
  if (search.operation !== undefined && span.operationName !== search.operation) return false;
  if (span.duration < (search.minDurationUs ?? 0)) return false;
  if (span.duration > (search.maxDurationUs ?? Number.POSITIVE_INFINITY)) return false;
  const wanted = Object.entries(search.tags);
  if (wanted.length === 0) return true;
  const ofProcess = process.tags.filter((tag) => processTags.has(printedTag(tag)));
  const tags = [...span.tags, ...ofProcess, ...span.logs.flatMap(({ fields }) => fields)];
  return wanted.every(([key, value]) => tags.some((tag) => tag.key === key && String(tag.value) === value));
}
