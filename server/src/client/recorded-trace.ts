import { type FilterSubject, subjectOf } from '../filter/subject.ts';
import { assembleTrace } from '../model/assemble.ts';
import { missingParts } from '../model/completeness.ts';
import { traceDurationUs } from '../model/duration.ts';
import type { DocumentFormat, Entity } from '../model/entity.ts';
import { parseStored } from '../model/parse-stored.ts';
import { formatTraceId } from '../model/trace-id.ts';
import { traceTree } from '../model/trace-tree.ts';

/** A trace for tests: the documents that the server had received when it answered. */
export type RecordedTrace = FilterSubject & {
  /** `1-…`, X-Ray's form. */
  readonly id: string;
  /** From the earliest start to the latest end; undefined until a segment has ended. */
  readonly durationMs: number | undefined;
  /** Every segment and subsegment, by start. */
  readonly entities: readonly Entity[];
  /** A sentence for each missing part; empty for a complete trace. */
  readonly missing: readonly string[];
  /** The trace as a tree of lines. */
  readonly toString: () => string;
};

export type StoredDocument = { readonly Format: DocumentFormat; readonly Body: string };

/** The trace of these documents, in the order of their arrival; undefined for none. */
export function recordedTrace(documents: readonly StoredDocument[]): RecordedTrace | undefined {
  const received = documents.flatMap(({ Format: format, Body: body }, seq) => parseStored(format, body, seq));
  const trace = assembleTrace(received);
  if (trace === undefined) return undefined;
  const id = formatTraceId(trace.id);
  const durationUs = traceDurationUs(trace);
  return {
    ...subjectOf(trace),
    id,
    durationMs: durationUs === undefined ? undefined : durationUs / 1000,
    entities: [...trace.entities.values()],
    missing: missingParts(trace),
    toString: () => `${id}\n${traceTree(trace, { isDetailed: true })}`,
  };
}
