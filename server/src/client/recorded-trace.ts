import { type FilterSubject, subjectOf } from '../filter/subject.ts';
import { assembleTrace } from '../model/assemble.ts';
import { missingParts } from '../model/completeness.ts';
import { traceDurationUs } from '../model/duration.ts';
import type { Entity } from '../model/entity.ts';
import { parseDocument } from '../model/parse-document.ts';
import { formatTraceId } from '../model/trace-id.ts';
import { traceTree } from '../model/trace-tree.ts';

/** A trace as a test looks at it: what has arrived of it when it was asked for. */
export type RecordedTrace = FilterSubject & {
  /** `1-…`, X-Ray's form. */
  readonly id: string;
  /** From the earliest start to the latest end; undefined while nothing has ended. */
  readonly durationMs: number | undefined;
  /** Every segment and subsegment, by start. */
  readonly entities: readonly Entity[];
  /** What is still to come, one sentence each; empty for a complete trace. */
  readonly missing: readonly string[];
  /** The trace as a tree of lines. */
  readonly toString: () => string;
};

const NO_LIMITS = { maxBytes: Number.POSITIVE_INFINITY, maxDepth: Number.POSITIVE_INFINITY };

/** The trace of these documents, in the order of their arrival; undefined for none. */
export function recordedTrace(documents: readonly string[]): RecordedTrace | undefined {
  const received = documents.flatMap((text, seq) =>
    parseDocument(text, seq, NO_LIMITS).flatMap((outcome) => (outcome.ok ? [outcome.document] : [])),
  );
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
