import { assembleTrace } from '../../model/assemble.ts';
import type { Document } from '../../model/entity.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { linkText } from '../../store/attributes.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { loadDocuments, loadDocumentsWithRecent } from '../traces/load-traces.ts';
import { contributionOf, type TraceContribution } from './trace-contribution.ts';

/** A trace as it counted when a document was the last, and as it counts since; the same object where nothing changed. */
export type TraceChange = { readonly before: TraceContribution; readonly after: TraceContribution };

/** Documents after `fromSeq` up to `toSeq`, which may be Infinity. */
export type SeqRange = { readonly fromSeq: number; readonly toSeq: number };

/** Traces that are loaded at once: a query for so few costs more than what it reads. */
const LOAD_BATCH = 1_000;
/** Traces that are looked at in one go, so that other work gets its turn in between. */
const YIELD_BATCH = 100;
/** Traces that are looked for among links at once. */
const LINK_BATCH = 2_000;

/**
 * What the documents of a range have changed in each of the traces. One look at the documents gives both states, so that
 * they belong together whatever arrives meanwhile.
 */
export async function* changesOf(
  store: Store,
  traceIds: readonly TraceId[],
  { fromSeq, toSeq }: SeqRange,
  options: QueryOptions,
): AsyncGenerator<readonly TraceChange[]> {
  const known = { less: ({ seq }: Document) => seq <= fromSeq, more: ({ seq }: Document) => seq <= toSeq };
  for await (const states of contributionPairsOf(store, traceIds, known, options)) {
    yield states.map(({ less, more }) => ({ before: less, after: more }));
  }
}

/** Each of the traces made of some of its documents, and made of more: all that are in `less` are in `more`. */
export async function* contributionPairsOf(
  store: Store,
  traceIds: readonly TraceId[],
  { less: isInLess, more: isInMore }: { readonly less: DocumentPredicate; readonly more: DocumentPredicate },
  options: QueryOptions,
): AsyncGenerator<readonly { readonly less: TraceContribution; readonly more: TraceContribution }[]> {
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
    const more = newTraceLookup(documents, isInMore);
    const less = newTraceLookup(documents, isInLess, more);
    for (let next = 0; next < ids.length; next += YIELD_BATCH) {
      yield ids.slice(next, next + YIELD_BATCH).map((id) => {
        const whole = contributionOf(more(id), more);
        const isSame = less(id) === more(id) && whole.consumerEndsUs.length === 0;
        return { less: isSame ? whole : contributionOf(less(id), less), more: whole };
      });
    }
  }
}

/** Traces that took messages of any of these. Those of them that `within` (rows of `entities`) leaves over. */
export async function consumersOf(
  store: Store,
  traceIds: readonly TraceId[],
  within: Sql,
  options: QueryOptions,
): Promise<readonly TraceId[]> {
  const takers = new Set<TraceId>();
  for (let first = 0; first < traceIds.length; first += LINK_BATCH) {
    const texts = sql.typed(traceIds.slice(first, first + LINK_BATCH).map(linkText), 'Array(String)');
    const rows = await store.query<{ trace_id: TraceId }>(
      sql`
        SELECT DISTINCT lower(hex(trace_id)) AS trace_id FROM entities
        WHERE hasAnyTokens(attributes, ${texts}) AND ${within}`,
      options,
    );
    for (const row of rows) takers.add(row.trace_id);
  }
  return [...takers];
}

type Documents = ReadonlyMap<TraceId, readonly Document[]>;
type DocumentPredicate = (document: Document) => boolean;

type TraceLookup = (id: TraceId) => Trace | undefined;

/** The traces made of the documents that are known, each once it is asked for; those of `others` where these are the same. */
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

/** Traces that anything in the document links to, whichever version of it counts. */
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
