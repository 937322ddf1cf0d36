import { assembleTrace } from '../../assemble.ts';
import type { Document } from '../../entity.ts';
import type { TracesData } from '../types.ts';
import { resourceSpansOf } from '../wire/resource-spans.ts';
import { traceToSpans } from './trace-to-spans.ts';

/**
 * A trace as OpenTelemetry tells it, by start: each span as it was received, each X-Ray entity as a span that holds all of it.
 * `documents` are those of one trace, in any order.
 */
export function tracesDataOf(documents: readonly Document[]): TracesData {
  const trace = assembleTrace(documents);
  const spans = trace === undefined ? [] : traceToSpans(trace, documents);
  return { resourceSpans: resourceSpansOf(spans.map(({ spanWithResource: place }) => place)) };
}
