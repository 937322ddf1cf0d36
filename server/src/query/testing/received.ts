import fc from 'fast-check';
import { type FilterSubject, subjectOf } from '../../filter/subject.ts';
import { assembleTrace } from '../../model/assemble.ts';
import type { Document } from '../../model/entity.ts';
import type { JsonObject } from '../../model/json.ts';
import { parseDocument } from '../../model/parse-document.ts';
import { arbitraryDelivery, arbitraryTrace } from '../../model/testing/arbitrary-trace.ts';

/** When the generated traces start, microseconds; what they hold ends some seconds later. */
export const START_US = 1_716_560_000_000_000;
const SEED = 20_240_430;

/**
 * Documents of many traces in an order of arrival that has nothing to do with their times: late, repeated, in progress
 * first, without their parents, and some sent again with other times, another parent or other annotations.
 */
export function receivedDocuments(traceCount: number, seed = SEED): readonly Document[] {
  const deliveries = fc.sample(arbitraryTrace().chain(arbitraryDelivery), { numRuns: traceCount, seed });
  const amended = deliveries.map((delivery, trace) => delivery.flatMap((text, at) => amend(text, trace * 31 + at)));
  const texts = amended.flatMap((delivery) => delivery.map((text, index) => ({ text, turn: index })));
  const mixed = [...texts].sort((a, b) => a.turn - b.turn);
  return mixed.flatMap(({ text }, index) =>
    parseDocument(text, START_US + index * 100).flatMap((outcome) => (outcome.ok ? [outcome.document] : [])),
  );
}

/** Now and then another version before or after it; which one counts is for `assembleTrace` to say. */
function amend(text: string, dice: number): readonly string[] {
  const document: JsonObject = JSON.parse(text);
  const moved = (seconds: number): JsonObject => ({
    ...document,
    start_time: Number(document.start_time) - seconds,
    ...(document.end_time !== undefined && { end_time: Number(document.end_time) + 2 * seconds }),
  });
  switch (dice % 23) {
    case 0:
      return [text, JSON.stringify(moved(0.25))];
    case 1:
      return [JSON.stringify(moved(0.5)), text];
    case 2: {
      const { parent_id, type, ...orphaned } = document;
      return [text, JSON.stringify(type === undefined ? orphaned : document)];
    }
    case 3: {
      const { end_time, ...unfinished } = moved(1.5);
      return [JSON.stringify({ ...unfinished, in_progress: true, annotations: { tier: 'lead' } }), text];
    }
    default:
      return [text];
  }
}

/** What the pure functions make of all the documents. */
export function subjectsOf(documents: readonly Document[]): readonly FilterSubject[] {
  const byTrace = new Map<string, Document[]>();
  for (const document of documents) {
    const ofTrace = byTrace.get(document.traceId);
    if (ofTrace) ofTrace.push(document);
    else byTrace.set(document.traceId, [document]);
  }
  return [...byTrace.values()].flatMap((ofTrace) => {
    const trace = assembleTrace(ofTrace);
    return trace === undefined ? [] : [subjectOf(trace)];
  });
}
