import { assembleTrace } from './assemble.ts';
import type { Document } from './entity.ts';
import { traceToSpans } from './otlp/documents/trace-to-spans.ts';
import { resourceSpansOf } from './otlp/wire/resource-spans.ts';
import type { TracesData } from './otlp-messages.ts';

/**
 * A trace as OpenTelemetry data, by start: each span as it was received, each X-Ray entity as a span with all its data.
 * `documents` are those of one trace, in any order.
 */
export function tracesDataOf(documents: readonly Document[]): TracesData {
  const trace = assembleTrace(documents);
  const spans = trace === undefined ? [] : traceToSpans(trace, documents);
  return { resourceSpans: resourceSpansOf(spans.map(({ spanWithResource }) => spanWithResource)) };
}
