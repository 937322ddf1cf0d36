import { assembleTrace } from '../../model/assemble.ts';
import type { CountedDocument } from '../../model/lean-document.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { linkText } from '../../store/attributes.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { documentGroups, documentGroupsWithRecent, type LoadOptions } from '../traces/load-traces.ts';
import type { FirstPart } from '../traces/trace-sizes.ts';
import { contributionOf, NO_CONTRIBUTION, type TraceContribution } from './trace-contribution.ts';

/** A trace as it was by some of its documents; `trace` is undefined without entities, or when it cannot be assembled. */
export type TraceState = { readonly trace: Trace | undefined; readonly contribution: TraceContribution };

/**
 * A trace without the documents of a range, and with them; the same contribution when it did not change. `documents`
 * has all that were loaded, in no particular order.
 */
export type TraceChange = {
  readonly id: TraceId;
  readonly before: TraceState;
  readonly after: TraceState;
  readonly documents: readonly CountedDocument[];
};

/** Documents in (fromSeq, toSeq]; `toSeq` may be Infinity. */
export type SeqRange = { readonly fromSeq: number; readonly toSeq: number };

/** Traces that are assembled before the generator yields, so that the caller can pause for other work. */
const YIELD_BATCH = 100;
/** Traces whose consumers one query looks up. */
const LINK_BATCH = 2_000;

export type ChangeOptions = QueryOptions & {
  /** Called with each trace that exceeds the bounds of a trace. Only its first part counts. */
  readonly onExceeding?: (id: TraceId, part: FirstPart) => void;
  /**
   * Whether to leave out a trace whose first part arrived before the range. Only the links to its producers can still
   * change.
   */
  readonly canSkip?: (id: TraceId) => boolean;
  readonly onUncountable?: ((id: TraceId, reason: string) => void) | undefined;
};

/**
 * The change that the documents of a range made to each of the traces. One read of the documents gives both states, so
 * that documents which arrive meanwhile cannot be in one state only.
 */
export async function* changesOf(
  store: Store,
  traceIds: readonly TraceId[],
  { fromSeq, toSeq }: SeqRange,
  { onExceeding, canSkip = () => false, ...options }: ChangeOptions,
): AsyncGenerator<readonly TraceChange[]> {
  const predicates = {
    reduced: ({ seq }: CountedDocument) => seq <= fromSeq,
    full: ({ seq }: CountedDocument) => seq <= toSeq,
  };
  const isPartWanted = (id: TraceId, part: FirstPart) => {
    onExceeding?.(id, part);
    return part.throughSeq > fromSeq || !canSkip(id);
  };
  for await (const pairs of contributionPairsOf(store, traceIds, predicates, { ...options, isPartWanted })) {
    yield pairs.map(({ id, reduced, full, documents }) => ({ id, before: reduced, after: full, documents }));
  }
}

type ContributionPair = {
  readonly id: TraceId;
  readonly reduced: TraceState;
  readonly full: TraceState;
  readonly documents: readonly CountedDocument[];
};

/**
 * The contributions of each trace by two sets of its documents: `reduced` is a subset of `full`. Of a trace that
 * exceeds the bounds, the first part of each set counts. `reducedSql` selects the documents of `reduced`. It is
 * necessary unless the first part of `reduced` is in the first part of `full`.
 */
export async function* contributionPairsOf(
  store: Store,
  traceIds: readonly TraceId[],
  predicates: {
    readonly reduced: DocumentPredicate;
    readonly full: DocumentPredicate;
    readonly reducedSql?: (id: TraceId) => Sql;
  },
  { onUncountable, ...options }: LoadOptions & Pick<ChangeOptions, 'onUncountable'>,
): AsyncGenerator<readonly ContributionPair[]> {
  const { isPartWanted: _, ...queryOptions } = options;
  // A later copy may be in `reduced` without the first one.
  const keepsRepeats = predicates.reducedSql !== undefined;
  for await (const group of documentGroupsWithRecent(store, traceIds, { ...options, keepsRepeats })) {
    const ids = [...group.documents.keys()];
    const documents = new Map(group.documents);
    /** Where it differs from `documents`. */
    const remaining = new Map<TraceId, readonly CountedDocument[]>();
    const readRemaining = async (id: TraceId) => {
      const where = predicates.reducedSql?.(id);
      if (where === undefined) return;
      remaining.set(id, []);
      for await (const rest of documentGroups(store, [id], { ...queryOptions, where })) {
        remaining.set(id, rest.documents.get(id) ?? []);
      }
    };
    for (const id of group.exceeding.keys()) await readRemaining(id);
    const linked = new Set(
      [...documents.values(), ...remaining.values()]
        .flat()
        .flatMap(linkedTraceIdsOf)
        .filter((id) => !documents.has(id)),
    );
    for await (const producers of documentGroups(store, [...linked], queryOptions)) {
      for (const [id, ofTrace] of producers.documents) documents.set(id, ofTrace);
      for (const id of producers.exceeding.keys()) await readRemaining(id);
    }
    const full = newTraceLookup(documents, predicates.full);
    const reduced = newTraceLookup(new Map([...documents, ...remaining]), predicates.reduced, (id) =>
      remaining.has(id) ? undefined : full,
    );
    for (let next = 0; next < ids.length; next += YIELD_BATCH) {
      yield ids.slice(next, next + YIELD_BATCH).map((id) => {
        const whole = countableOf(id, full, onUncountable);
        const isSame = reduced(id) === full(id) && whole.consumerEndsUs.length === 0;
        const part = isSame ? whole : countableOf(id, reduced, onUncountable);
        return {
          id,
          reduced: { trace: reduced(id), contribution: part },
          full: { trace: full(id), contribution: whole },
          documents: documents.get(id) ?? [],
        };
      });
    }
  }
}

/** Nothing for a trace that the pure functions fail for: one trace must not stop the roll-up of all others. */
function countableOf(
  id: TraceId,
  lookup: TraceLookup,
  onUncountable: ChangeOptions['onUncountable'],
): TraceContribution {
  try {
    return contributionOf(lookup(id), lookup);
  } catch (thrown) {
    onUncountable?.(id, thrown instanceof Error ? thrown.message : String(thrown));
    return NO_CONTRIBUTION;
  }
}

/** Traces that consumed messages of any of these. Only rows of `entities` for which `within` holds are read. */
export async function consumersOf(
  store: Store,
  traceIds: readonly TraceId[],
  within: Sql,
  options: QueryOptions,
): Promise<readonly TraceId[]> {
  const consumers = new Set<TraceId>();
  for (let first = 0; first < traceIds.length; first += LINK_BATCH) {
    const texts = sql.typed(traceIds.slice(first, first + LINK_BATCH).map(linkText), 'Array(String)');
    const rows = await store.query<{ trace_id: TraceId }>(
      sql`
        SELECT DISTINCT lower(hex(trace_id)) AS trace_id FROM entities
        WHERE hasAnyTokens(attributes, ${texts}) AND ${within}`,
      options,
    );
    for (const row of rows) consumers.add(row.trace_id);
  }
  return [...consumers];
}

type Documents = ReadonlyMap<TraceId, readonly CountedDocument[]>;
type DocumentPredicate = (document: CountedDocument) => boolean;

type TraceLookup = (id: TraceId) => Trace | undefined;

/**
 * Assembles a trace of its known documents on the first call. When all documents are known, takes the trace of the
 * lookup `sameOf`, if there is one.
 */
function newTraceLookup(
  documents: Documents,
  isKnown: DocumentPredicate,
  sameOf: (id: TraceId) => TraceLookup | undefined = () => undefined,
): TraceLookup {
  const traces = new Map<TraceId, Trace | undefined>();
  return (id) => {
    if (traces.has(id)) return traces.get(id);
    const all = documents.get(id) ?? [];
    const known = all.filter(isKnown);
    const same = known.length === all.length ? sameOf(id) : undefined;
    // Assembling it failed if the next call finds this.
    traces.set(id, undefined);
    const trace = same ? same(id) : assembleTrace(known);
    traces.set(id, trace);
    return trace;
  };
}

/** Traces that any entity in this version of the document links to. */
function linkedTraceIdsOf({ entities }: CountedDocument): readonly TraceId[] {
  return entities.flatMap(({ links }) => links.map(({ traceId }) => traceId));
}
