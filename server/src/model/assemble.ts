import type { Document, Entity } from './entity.ts';
import { byStart } from './entity.ts';
import { nestEntities } from './nesting.ts';
import { resolveSpans } from './otlp/to-xray/resolve-spans.ts';
import type { Trace } from './trace.ts';
import type { EntityId } from './trace-id.ts';

/**
 * The trace that these documents, all of one trace, make up; undefined for none.
 * Neither the order of `documents` nor repeats of them change the result: what counts is each one's `seq`.
 * Of several versions of an entity the first completed one stays, with its inline subsegments; until there is one, the
 * latest in-progress version. Takes time in proportion to the entities, but for sorting them.
 */
export function assembleTrace(documents: readonly Document[]): Trace | undefined {
  const arrivals = resolveSpans(distinctInSeqOrder(documents));
  const latest = arrivals.at(-1);
  const { chosen, revision } = chooseVersions(arrivals);
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
    startUs: earliestStart(arrivals),
    updatedUs: latest.seq,
  };
}

/** In order of arrival; a document that was sent again word for word counts where it came first. */
function distinctInSeqOrder(documents: readonly Document[]): readonly Document[] {
  const ordered = [...documents].sort(bySeq);
  const textsOf = new Map<EntityId, string | Set<string>>();
  return ordered.filter(({ id, text }) => {
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

function earliestStart(documents: readonly Document[]): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const { entities } of documents) for (const { startUs } of entities) earliest = Math.min(earliest, startUs);
  return earliest;
}

/** Servers of a cluster may give two documents the same `seq`: then what is in them decides. */
function bySeq(a: Document, b: Document): number {
  if (a.seq !== b.seq) return a.seq - b.seq;
  if (a.id !== b.id) return a.id < b.id ? -1 : 1;
  return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
}

type Version = { readonly entity: Entity; readonly document: Document };

/** One version of each entity, and how many documents contributed one when they came. */
function chooseVersions(arrivals: readonly Document[]): { readonly chosen: Entity[]; readonly revision: number } {
  const versions = new Map<EntityId, Version>();
  let revision = 0;
  let hasReplaced = false;
  for (const document of arrivals) {
    const taken = new Set<EntityId>();
    for (const entity of document.entities) {
      const isInline = entity !== document.entities[0];
      // What is inline in a version that lost has lost with it.
      if (isInline && !taken.has(entity.parentId as EntityId)) continue;
      const current = versions.get(entity.id);
      if (current !== undefined && (current.entity.endUs !== undefined || current.document === document)) continue;
      if (current !== undefined) hasReplaced = true;
      versions.set(entity.id, { entity, document });
      taken.add(entity.id);
    }
    if (taken.size > 0) revision++;
  }
  if (hasReplaced) dropStaleFragments(arrivals, versions);
  return { chosen: Array.from(versions.values(), (version) => version.entity), revision };
}

/**
 * A version that replaces an in-progress one also replaces the unfinished subsegments inside it: nothing would ever
 * complete them. Finished ones are kept.
 */
function dropStaleFragments(arrivals: readonly Document[], versions: Map<EntityId, Version>): void {
  for (const document of arrivals) {
    for (const entity of document.entities.slice(1)) {
      if (entity.endUs !== undefined || versions.get(entity.id)?.entity !== entity) continue;
      if (versions.get(entity.parentId as EntityId)?.document !== document) versions.delete(entity.id);
    }
  }
}
