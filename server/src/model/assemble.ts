import type { Entity } from './entity.ts';
import { byStart } from './entity.ts';
import { areSettled, type CountedDocument } from './lean-document.ts';
import { nestEntities } from './nesting.ts';
import { resolveSpans } from './otlp/documents/resolve-spans.ts';
import { separateSharedIds } from './otlp/documents/shared-ids.ts';
import type { Trace } from './trace.ts';
import type { EntityId } from './trace-id.ts';
import { isXray, type SentDocument } from './xray-document.ts';

/**
 * Assembles the documents of one trace; undefined without documents.
 * The result depends on the `seq` of the documents, not on their order or on repeats.
 * Of several versions of an entity the first completed one stays, with its inline subsegments. Until one is complete,
 * the latest in-progress version stays. Takes linear time in the number of entities, except for sorting them.
 */
export function assembleTrace(documents: readonly CountedDocument[]): Trace | undefined {
  const sent = resolved(documents);
  const versions = chooseVersions(sent);
  // Settled documents were not separated, since they seldom share an id: then all are X-Ray's, and one is inline.
  const inSeqOrder = versions.hasRepeats && sent.every(isXray) ? separateSharedIds(sent) : sent;
  const { chosen, revision } = inSeqOrder === sent ? versions : chooseVersions(inSeqOrder);
  const latest = inSeqOrder.at(-1);
  if (latest === undefined || chosen.length === 0) return undefined;
  const { entities, segments, childrenOf, segmentOf, orphans, isPartial } = nestEntities(chosen.sort(byStart));
  return {
    id: latest.traceId,
    entities,
    segments,
    childrenOf,
    segmentOf,
    root: segments.find((segment) => segment.parentId === undefined),
    orphans,
    isPartial,
    revision,
    startUs: earliestStart(inSeqOrder),
    updatedUs: latest.seq,
  };
}

/** In the order of `seq`. Lean documents must be those of a trace for which `canAssemble` is true. */
function resolved(documents: readonly CountedDocument[]): readonly CountedDocument[] {
  if (areSettled(documents)) return [...documents].sort(bySeqAndId);
  const sent = documents.every(isXray) ? documents : documents.map(complete);
  return resolveSpans(separateSharedIds(distinctInSeqOrder(sent)));
}

function complete(document: CountedDocument): SentDocument {
  if (document.format !== 'lean-span' && document.format !== 'lean-segment') return document;
  throw new Error('a document cannot be translated again without its text');
}

/** By `seq`. An exact duplicate keeps the position of the first copy. */
function distinctInSeqOrder(documents: readonly SentDocument[]): readonly SentDocument[] {
  const ordered = [...documents].sort(bySeq);
  const textsOf = new Map<EntityId, string | Set<string>>();
  return ordered.filter((document) => {
    const { id } = document;
    const text = distinctTextOf(document);
    const seen = textsOf.get(id);
    if (seen === undefined) {
      textsOf.set(id, text);
      return true;
    }
    if (seen === text || (typeof seen !== 'string' && seen.has(text))) return false;
    if (typeof seen === 'string') textsOf.set(id, new Set([seen, text]));
    else seen.add(text);
    return true;
  });
}

/** Without a text, documents with one id differ in length. */
const distinctTextOf = (document: SentDocument): string =>
  document.format === 'lean-segment' ? `${document.bodyBytes}` : document.text;

function earliestStart(documents: readonly CountedDocument[]): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const { entities } of documents) for (const { startUs } of entities) earliest = Math.min(earliest, startUs);
  return earliest;
}

/** Servers of a cluster may give two documents the same `seq`: then id and text decide. */
function bySeq(a: SentDocument, b: SentDocument): number {
  const order = bySeqAndId(a, b);
  if (order !== 0) return order;
  const [textOfA, textOfB] = [distinctTextOf(a), distinctTextOf(b)];
  return textOfA < textOfB ? -1 : textOfA > textOfB ? 1 : 0;
}

function bySeqAndId(a: CountedDocument, b: CountedDocument): number {
  if (a.seq !== b.seq) return a.seq - b.seq;
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return 0;
}

type Version = { readonly entity: Entity; readonly document: CountedDocument };

/**
 * One version of each entity. `revision` counts the documents that added or replaced a version. `hasRepeats`: a finished
 * entity of one document has the id of another document's.
 */
function chooseVersions(inSeqOrder: readonly CountedDocument[]): {
  readonly chosen: Entity[];
  readonly revision: number;
  readonly hasRepeats: boolean;
} {
  const versions = new Map<EntityId, Version>();
  let revision = 0;
  let hasReplaced = false;
  let hasRepeats = false;
  for (const document of inSeqOrder) {
    const accepted = new Set<EntityId>();
    for (const entity of document.entities) {
      const isInline = entity !== document.entities[0];
      // Without its enclosing version an inline subsegment is not accepted either.
      if (isInline && !accepted.has(entity.parentId as EntityId)) continue;
      const current = versions.get(entity.id);
      if (current !== undefined && (current.entity.endUs !== undefined || current.document === document)) {
        hasRepeats ||= current.document !== document;
        continue;
      }
      if (current !== undefined) hasReplaced = true;
      versions.set(entity.id, { entity, document });
      accepted.add(entity.id);
    }
    if (accepted.size > 0) revision++;
  }
  if (hasReplaced) dropStaleFragments(inSeqOrder, versions);
  return { chosen: Array.from(versions.values(), (version) => version.entity), revision, hasRepeats };
}

/**
 * Drops unfinished subsegments of in-progress versions that were replaced: no document will complete them.
 * Finished ones are kept.
 */
function dropStaleFragments(inSeqOrder: readonly CountedDocument[], versions: Map<EntityId, Version>): void {
  for (const document of inSeqOrder) {
    for (const entity of document.entities.slice(1)) {
      if (entity.endUs !== undefined || versions.get(entity.id)?.entity !== entity) continue;
      if (versions.get(entity.parentId as EntityId)?.document !== document) versions.delete(entity.id);
    }
  }
}
