import { assembleTrace } from '../../model/assemble.ts';
import type { Document } from '../../model/entity.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { linkText } from '../../store/attributes.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { loadDocuments, loadDocumentsWithRecent } from '../traces/load-traces.ts';
import { contributionOf, type TraceContribution } from './trace-contribution.ts';

/**
 * The contribution of a trace without the documents of a range, and with them; the same object when it did not change.
 */
export type TraceChange = { readonly before: TraceContribution; readonly after: TraceContribution };

/** Documents in (fromSeq, toSeq]; `toSeq` may be Infinity. */
export type SeqRange = { readonly fromSeq: number; readonly toSeq: number };

/** Traces that are loaded at once. In smaller batches the queries cost more than reading the documents. */
const LOAD_BATCH = 1_000;
/** Traces that are assembled before the generator yields, so that the caller can pause for other work. */
const YIELD_BATCH = 100;
/** Traces whose consumers one query looks up. */
const LINK_BATCH = 2_000;

/**
 * The change that the documents of a range made to each of the traces. One read of the documents gives both states, so
 * that documents which arrive meanwhile cannot be in one state only.
 */
export async function* changesOf(
  store: Store,
  traceIds: readonly TraceId[],
  { fromSeq, toSeq }: SeqRange,
  options: QueryOptions,
): AsyncGenerator<readonly TraceChange[]> {
  const predicates = { reduced: ({ seq }: Document) => seq <= fromSeq, full: ({ seq }: Document) => seq <= toSeq };
  for await (const pairs of contributionPairsOf(store, traceIds, predicates, options)) {
    yield pairs.map(({ reduced, full }) => ({ before: reduced, after: full }));
  }
}

/** The contributions of each trace by two sets of its documents: `reduced` is a subset of `full`. */
export async function* contributionPairsOf(
  store: Store,
  traceIds: readonly TraceId[],
  predicates: { readonly reduced: DocumentPredicate; readonly full: DocumentPredicate },
  options: QueryOptions,
): AsyncGenerator<readonly { readonly reduced: TraceContribution; readonly full: TraceContribution }[]> {
  for (let first = 0; first < traceIds.length; first += LOAD_BATCH) {
    const ids = traceIds.slice(first, first + LOAD_BATCH);
    const documents = new Map(await loadDocumentsWithRecent(store, ids, options));
    const linked = new Set(
      [...documents.values()]
        .flat()
        .flatMap(linkedTraceIdsOf)
        .filter((id) => !documents.has(id)),
    );
    for (const [id, ofTrace] of await loadLinked(store, [...linked], options)) documents.set(id, ofTrace);
    const full = newTraceLookup(documents, predicates.full);
    const reduced = newTraceLookup(documents, predicates.reduced, full);
    for (let next = 0; next < ids.length; next += YIELD_BATCH) {
      yield ids.slice(next, next + YIELD_BATCH).map((id) => {
        const whole = contributionOf(full(id), full);
        const isSame = reduced(id) === full(id) && whole.consumerEndsUs.length === 0;
        return { reduced: isSame ? whole : contributionOf(reduced(id), reduced), full: whole };
      });
    }
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

type Documents = ReadonlyMap<TraceId, readonly Document[]>;
type DocumentPredicate = (document: Document) => boolean;

type TraceLookup = (id: TraceId) => Trace | undefined;

/**
 * Assembles a trace of its known documents on the first call. Takes the trace of `others` when all documents are
 * known.
 */
function newTraceLookup(documents: Documents, isKnown: DocumentPredicate, others?: TraceLookup): TraceLookup {
  const traces = new Map<TraceId, Trace | undefined>();
  return (id) => {
    if (traces.has(id)) return traces.get(id);
    const all = documents.get(id) ?? [];
    const known = all.filter(isKnown);
    const trace = known.length === all.length && others ? others(id) : assembleTrace(known);
    traces.set(id, trace);
    return trace;
  };
}

/** Traces that any entity in this version of the document links to. */
function linkedTraceIdsOf({ entities }: Document): readonly TraceId[] {
  return entities.flatMap(({ links }) => links.map(({ traceId }) => traceId));
}

async function loadLinked(store: Store, ids: readonly TraceId[], options: QueryOptions): Promise<Documents> {
  const documents = new Map<TraceId, readonly Document[]>();
  for (let first = 0; first < ids.length; first += LOAD_BATCH) {
    const loaded = await loadDocuments(store, ids.slice(first, first + LOAD_BATCH), options);
    for (const [id, ofTrace] of loaded) documents.set(id, ofTrace);
  }
  return documents;
}
