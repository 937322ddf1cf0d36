import type { JaegerSpan, JaegerTrace } from './jaeger.ts';

/**
 * A trace in the lists of Jaeger's newer pages. Times are nanoseconds as text.
 * @see https://github.com/jaegertracing/jaeger-idl/blob/main/proto/api_v3/query_service.proto
 */
export type JaegerSummary = {
  readonly traceId: string;
  readonly rootServiceName: string;
  readonly rootOperationName: string;
  readonly minStartTimeUnixNano: string;
  readonly maxEndTimeUnixNano: string;
  readonly spanCount: number;
  readonly errorSpanCount: number;
  /** Spans whose parent was not received. */
  readonly orphanSpanCount: number;
  readonly services: readonly { readonly name: string; readonly spanCount: number; readonly errorSpanCount: number }[];
};

/** `spans` are by start. The root is the first span without a parent, else the first whose parent was not received. */
export function jaegerSummary({ traceID, spans, processes }: JaegerTrace): JaegerSummary {
  const ids = new Set(spans.map(({ spanID }) => spanID));
  const isOrphan = (span: JaegerSpan) => {
    const parent = parentIn(span);
    return parent !== undefined && !ids.has(parent);
  };
  const root = spans.find((span) => parentIn(span) === undefined) ?? spans.find(isOrphan) ?? spans[0];
  const serviceOf = ({ processID }: JaegerSpan) => processes[processID]?.serviceName ?? '';
  const services = new Map<string, { name: string; spanCount: number; errorSpanCount: number }>();
  let [minUs, maxUs] = [Number.POSITIVE_INFINITY, 0];
  for (const span of spans) {
    minUs = Math.min(minUs, span.startTime);
    maxUs = Math.max(maxUs, span.startTime + span.duration);
    const name = serviceOf(span);
    const service = services.get(name) ?? { name, spanCount: 0, errorSpanCount: 0 };
    services.set(name, service);
    service.spanCount += 1;
    if (hasFailed(span)) service.errorSpanCount += 1;
  }
  return {
    traceId: traceID,
    rootServiceName: root === undefined ? '' : serviceOf(root),
    rootOperationName: root?.operationName ?? '',
    minStartTimeUnixNano: `${spans.length === 0 ? 0 : minUs}000`,
    maxEndTimeUnixNano: `${maxUs}000`,
    spanCount: spans.length,
    errorSpanCount: spans.filter(hasFailed).length,
    orphanSpanCount: spans.filter(isOrphan).length,
    services: [...services.values()],
  };
}

function parentIn({ references }: JaegerSpan): string | undefined {
  return references.find(({ refType }) => refType === 'CHILD_OF')?.spanID;
}

function hasFailed({ tags }: JaegerSpan): boolean {
  return tags.some(({ key, value }) => key === 'error' && value === true);
}
