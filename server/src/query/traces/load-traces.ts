import { assembleTrace } from '../../model/assemble.ts';
import type { Document } from '../../model/entity.ts';
import {
  type CountedDocument,
  canAssemble,
  documentsOf,
  type LeanDocument,
  type LeanSpan,
  type LeanText,
} from '../../model/lean-document.ts';
import { parseStored } from '../../model/parse-stored.ts';
import type { Trace } from '../../model/trace.ts';
import type { EntityId, TraceId } from '../../model/trace-id.ts';
import type { LeanSegment } from '../../model/xray-document.ts';
import { BODY_BYTES } from '../../store/body-bytes.ts';
import {
  bodyBytesOfRow,
  DOCUMENT_ROW,
  type DocumentRow,
  type EncodedDocumentRow,
  readDocumentRow,
  shortDocumentRow,
  storedTextOf,
} from '../../store/document-row.ts';
import { idSql, traceIdsSql } from '../../store/ids.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import type { TraceBounds } from '../../store/trace-bounds.ts';
import {
  type DocumentSelection,
  documentPredicates,
  type FirstPart,
  isKnownToExceed,
  knownFirstParts,
  readFirstParts,
  readTraceSizes,
  type TraceSize,
} from './trace-sizes.ts';

/*
 * How documents are loaded, however large the traces are:
 *
 *   ids -- chunks of MAX_IDS --> read documents, up to what common traces have: are these all of the chunk?
 *                                   | yes                        | no: the sizes of the traces
 *                                   |                            v
 *                                   |                     groups of consecutive traces that fit,
 *                                   |                     exact repeats dropped by the engine;
 *                                   |                     of a trace that exceeds the bounds alone: its first part
 *                                   v                            v
 *                                DocumentGroup, DocumentGroup, ...     in the order of the ids
 */

export function documentsOfRow(row: DocumentRow): readonly Document[] {
  const { format, text } = storedTextOf(row);
  return parseStored(format, text, row.seq);
}

export type DocumentsByTrace = ReadonlyMap<TraceId, readonly Document[]>;

/** Consecutive traces of a load whose documents fit into the bounds; unknown ids are left out. */
export type DocumentGroup = {
  readonly documents: DocumentsByTrace;
  /** Traces of which `documents` has the first part only. */
  readonly exceeding: ReadonlyMap<TraceId, FirstPart>;
  /** Whether it is the last group of up to MAX_IDS traces. */
  readonly isLast: boolean;
};

export type LoadOptions = QueryOptions & {
  /**
   * Whether to read the first part of a trace that exceeds the bounds; by default always. Else `documents` has none of
   * the trace.
   */
  readonly isPartWanted?: (id: TraceId, part: FirstPart) => boolean;
  /** Only documents for which this holds are loaded, as if there were no others. */
  readonly where?: Sql | undefined;
  /** Whether all copies of a document that was sent again are loaded; by default only the first may be. */
  readonly keepsRepeats?: boolean | undefined;
};

/** Ids of one statement. The embedded engine accepts statements up to 256 KiB, and this one names them twice. */
const MAX_IDS = 1_000;

/** All versions of one document, by primary key. */
export function documentSql(traceId: TraceId, id: EntityId): Sql {
  return sql`
    SELECT ${DOCUMENT_ROW}
    FROM documents
    WHERE documents.trace_id IN ${traceIdsSql([traceId])} AND id = ${idSql(id)}
    ORDER BY seq`;
}

/** Without the bodies that are longer than FIRST_BODY_BYTES: rows are read many at a time. */
function firstDocumentsSql(predicates: readonly Sql[]): Sql {
  return sql`SELECT ${shortDocumentRow(FIRST_BODY_BYTES)} FROM documents PREWHERE ${sql.and(predicates)}`;
}

/** In no order: to sort them, the engine would hold all of them. */
function documentsSql(predicates: readonly Sql[]): Sql {
  return sql`SELECT ${DOCUMENT_ROW} FROM documents PREWHERE ${sql.and(predicates)}`;
}

/**
 * Of documents with the same id and body the first one only. Bodies are hashed as they are read, so that the engine
 * holds none of them.
 */
function distinctDocumentsSql(predicates: readonly Sql[]): Sql {
  const within = sql.and(predicates);
  return sql`
    SELECT ${DOCUMENT_ROW} FROM documents
    PREWHERE ${within} AND (trace_id, id, seq, server) IN (
      SELECT trace_id, id, first.1, first.2 FROM (
        SELECT trace_id, id, min((seq, server)) AS first FROM documents
        WHERE ${within} GROUP BY trace_id, id, format, ${BODY_BYTES},
          cityHash64(body, shared, name, kind, shape, start_us, end_us)
      )
    )`;
}

/** The documents of the traces that have arrived, in groups within the bounds, in the order of `traceIds`. */
export async function* documentGroups(
  store: Store,
  traceIds: readonly TraceId[],
  options: LoadOptions = {},
): AsyncGenerator<DocumentGroup> {
  for (let first = 0; first < traceIds.length; first += MAX_IDS) {
    yield* groupsOf(store, traceIds.slice(first, first + MAX_IDS), NO_CACHE, options);
  }
}

/** As `DocumentGroup`, of documents that may have been in memory. */
export type CountedGroup = Omit<DocumentGroup, 'documents'> & {
  readonly documents: ReadonlyMap<TraceId, readonly CountedDocument[]>;
};

/**
 * The same traces in another order, with the latest documents from memory, already parsed: faster for many traces that
 * have just changed.
 */
export async function* documentGroupsWithRecent(
  store: Store,
  traceIds: readonly TraceId[],
  options: LoadOptions = {},
): AsyncGenerator<CountedGroup> {
  for (let first = 0; first < traceIds.length; first += MAX_IDS) {
    const ids = traceIds.slice(first, first + MAX_IDS);
    const cache = cachedDocuments(store, ids);
    const whole = await tracesInMemory(store, cache, options);
    if (whole.size > 0) yield { documents: whole, exceeding: new Map(), isLast: false };
    const others = ids.filter((id) => !whole.has(id));
    const complete = new Map<TraceId, readonly LeanText[]>();
    for (const [id, documents] of cache.ofTrace) if (documents.every(isComplete)) complete.set(id, documents);
    const isIncomplete = (id: TraceId) => cache.ofTrace.has(id) && !complete.has(id);
    const incomplete = others.filter(isIncomplete);
    const rest = others.filter((id) => !isIncomplete(id));
    if (incomplete.length > 0) yield* groupsOf(store, incomplete, NO_CACHE, options);
    if (rest.length > 0) yield* groupsOf(store, rest, { toSeq: cache.toSeq, ofTrace: complete }, options);
  }
}

type Cached<Lean> = { readonly toSeq: number | undefined; readonly ofTrace: ReadonlyMap<TraceId, readonly Lean[]> };
/** Documents after `toSeq` that need not be read from the store. */
type Cache = Cached<LeanText>;

const NO_CACHE: Cache = { toSeq: undefined, ofTrace: new Map() };

const isComplete = (document: LeanDocument): document is LeanText => 'text' in document;

/**
 * Call before reading the store. A document that is evicted meanwhile is then here; the other order could miss it.
 */
function cachedDocuments({ recent }: Store, traceIds: readonly TraceId[]): Cached<LeanDocument> {
  if (recent.afterSeq === Number.POSITIVE_INFINITY) return NO_CACHE;
  const toSeq = recent.afterSeq;
  const cached = traceIds.map((id) => [id, recent.ofTrace(id)] as const);
  return { toSeq, ofTrace: new Map(cached.filter(([, documents]) => documents.length > 0)) };
}

type WithoutText = LeanSegment | LeanSpan;

/** Traces within the bounds that are known from the cache alone: they can be assembled, and no document is earlier. */
async function tracesInMemory(
  store: Store,
  { toSeq = 0, ofTrace }: Cached<LeanDocument>,
  options: QueryOptions,
): Promise<ReadonlyMap<TraceId, readonly WithoutText[]>> {
  const known = new Map<TraceId, readonly WithoutText[]>();
  for (const [id, documents] of ofTrace) {
    const ofId = assembledWithin(documents, store.traceBounds);
    if (ofId !== undefined) known.set(id, ofId);
  }
  for (const id of await tracesBegunBy(store, [...known.keys()], toSeq, options)) known.delete(id);
  return known;
}

/**
 * The documents of a trace in memory, if it can be assembled of them and is within the bounds; empty without any. These
 * are all documents of a trace that `tracesBegunBy` does not return for `recent.afterSeq`.
 */
export function traceInMemory({ recent, traceBounds }: Store, traceId: TraceId): readonly WithoutText[] | undefined {
  return assembledWithin(recent.ofTrace(traceId), traceBounds);
}

function assembledWithin(documents: readonly LeanDocument[], bounds: TraceBounds): readonly WithoutText[] | undefined {
  const isWhole = documents.every(isWithoutText) && canAssemble(documents);
  return isWhole && !exceeds(sizeOfCached(documents), bounds) ? documents : undefined;
}

const isWithoutText = (document: LeanDocument): document is WithoutText => !isComplete(document);

/** Which of these traces have documents through `seq`. Any number of ids. */
export async function tracesBegunBy(
  store: Store,
  traceIds: readonly TraceId[],
  seq: number,
  options: QueryOptions,
): Promise<ReadonlySet<TraceId>> {
  if (traceIds.length === 0) return new Set();
  const rows = await store.query<{ trace_id: TraceId }>(
    sql`
      SELECT lower(hex(trace)) AS trace_id FROM (
        SELECT DISTINCT trace_id AS trace FROM documents WHERE trace_id IN ${traceIdsSql(traceIds)} AND seq <= ${seq}
      )`,
    options,
  );
  return new Set(rows.map((row) => row.trace_id));
}

async function* groupsOf(
  store: Store,
  traceIds: readonly TraceId[],
  cache: Cache,
  { isPartWanted = () => true, where, keepsRepeats = false, ...options }: LoadOptions,
): AsyncGenerator<DocumentGroup> {
  const { traceBounds: bounds } = store;
  const selected = { traceIds, toSeq: cache.toSeq, where };
  const isLarge = traceIds.some((id) => isKnownToExceed(store, id));
  const read = isLarge ? undefined : await readWithinBounds(store, selected, options);
  const known = read === undefined ? await readTraceSizes(store, selected, options) : new Map<TraceId, TraceSize>();
  const stored: ReadonlyMap<TraceId, Size> = read === undefined ? known : sizesOf(read);
  const sizes = new Map(
    traceIds.flatMap((id) => {
      const cached = cache.ofTrace.get(id);
      const size = sum(stored.get(id), cached === undefined ? undefined : sizeOfCached(cached));
      return size === undefined ? [] : [[id, size] as const];
    }),
  );
  const large = idsExceeding(sizes, bounds);
  // The cache has all documents after `toSeq`. Without any of them, the sizes that were read are those of whole traces.
  const isMeasured = (id: TraceId) => where === undefined && known.has(id) && !cache.ofTrace.has(id);
  const exceeding = new Map([
    ...(await knownFirstParts(
      store,
      new Map([...known].filter(([id]) => large.includes(id) && isMeasured(id))),
      options,
    )),
    ...(await readFirstParts(store, { traceIds: large.filter((id) => !isMeasured(id)), where }, options)),
  ]);

  const partsOf = async (ids: readonly TraceId[], part: FirstPart | undefined): Promise<DocumentsByTrace> => {
    const toSeq = part === undefined ? cache.toSeq : Math.min(part.throughSeq, cache.toSeq ?? part.throughSeq);
    const dropsRepeats = !keepsRepeats && ids.some((id) => sizes.get(id)?.hasRepeats);
    const rows = read ?? (await readDocuments(store, { traceIds: ids, toSeq, where }, dropsRepeats, options));
    return new Map(
      ids.map((id) => {
        const isInPart = ({ seq }: { readonly seq: number }) => part === undefined || seq <= part.throughSeq;
        const documents = (rows.get(id) ?? []).filter(isInPart).flatMap(documentsOfRow);
        rows.delete(id);
        return [id, [...documents, ...(cache.ofTrace.get(id) ?? []).filter(isInPart).flatMap(documentsOf)]];
      }),
    );
  };

  const runs = [...runsWithin(sizes, exceeding, bounds)];
  for (const ids of runs) {
    const [id] = ids;
    const isLast = ids === runs.at(-1);
    const part = id === undefined ? undefined : exceeding.get(id);
    if (id === undefined || part === undefined) {
      yield { documents: await partsOf(ids, undefined), exceeding: new Map(), isLast };
      continue;
    }
    const isWanted = isPartWanted(id, part);
    yield { documents: isWanted ? await partsOf(ids, part) : new Map(), exceeding: new Map([[id, part]]), isLast };
  }
}

type Size = { readonly documents: number; readonly bytes: number; readonly hasRepeats: boolean };

const exceeds = ({ documents, bytes }: Size, bounds: TraceBounds): boolean =>
  documents > bounds.documents || bytes > bounds.bytes;

const idsExceeding = (sizes: ReadonlyMap<TraceId, Size>, bounds: TraceBounds): readonly TraceId[] =>
  [...sizes].filter(([, size]) => exceeds(size, bounds)).map(([id]) => id);

function sum(a: Size | undefined, b: Size | undefined): Size | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { documents: a.documents + b.documents, bytes: a.bytes + b.bytes, hasRepeats: a.hasRepeats || b.hasRepeats };
}

/** An upper bound: a character takes up to three bytes. `readFirstParts` decides. */
function sizeOfCached(documents: readonly LeanDocument[]): Size {
  const bytes = documents.reduce(
    (total, document) => total + ('bodyBytes' in document ? document.bodyBytes : 3 * document.text.length),
    0,
  );
  return { documents: documents.length, bytes, hasRepeats: false };
}

function sizesOf(rows: ReadonlyMap<TraceId, readonly DocumentRow[]>): ReadonlyMap<TraceId, Size> {
  return new Map(
    Array.from(rows, ([id, ofTrace]) => {
      const bytes = ofTrace.reduce((total, row) => total + bodyBytesOfRow(row), 0);
      return [id, { documents: ofTrace.length, bytes, hasRepeats: false }];
    }),
  );
}

/** Runs of consecutive traces that fit into the bounds. A trace that exceeds them is a run of its own. */
function* runsWithin(
  sizes: ReadonlyMap<TraceId, Size>,
  exceeding: ReadonlyMap<TraceId, FirstPart>,
  bounds: TraceBounds,
): Generator<readonly TraceId[]> {
  let run: TraceId[] = [];
  let total: Size | undefined;
  for (const [id, size] of sizes) {
    const next = sum(total, size) as Size;
    if (run.length > 0 && (exceeds(next, bounds) || exceeding.has(id))) {
      yield run;
      run = [];
    }
    total = run.length === 0 ? size : next;
    run.push(id);
    if (!exceeding.has(id)) continue;
    yield run;
    run = [];
  }
  if (run.length > 0) yield run;
}

/** Of a row that the engine holds, without its text: more than ids, times, format and lengths take. */
const ROW_BYTES = 256;
/** Base64 has four characters for three bytes. */
const TEXT_BYTES = 4 / 3;
/** Of the first read: most traces have less, and the read of a large one ends soon. */
const FIRST_BYTES = 256 * 1024;
const FIRST_BYTES_OF_TRACE = 4 * 1024;
const FIRST_BODY_BYTES = 16 * 1024;

/**
 * Undefined when the documents may exceed the bounds together. To read their sizes first would take nearly as long as
 * to read the documents of a few common traces. So this reads documents at once, up to bounds that such traces have.
 */
async function readWithinBounds(
  store: Store,
  selected: DocumentSelection,
  options: QueryOptions,
): Promise<Map<TraceId, DocumentRow[]> | undefined> {
  const { documents, bytes: maxBytes } = store.traceBounds;
  const expectedBytes = Math.max(FIRST_BYTES, FIRST_BYTES_OF_TRACE * selected.traceIds.length);
  const bounds = { documents, bytes: Math.min(maxBytes, expectedBytes) };
  const rows = await readRows(store, firstDocumentsSql(documentPredicates(selected)), {
    ...options,
    cutAt: {
      rows: documents + 1,
      bytes: Math.ceil(TEXT_BYTES * bounds.bytes) + ROW_BYTES * (documents + 1),
    },
  });
  if (rows.some(({ body }) => body === '')) return undefined;
  const bytes = rows.reduce((total, row) => total + bodyBytesOfRow(row), 0);
  return exceeds({ documents: rows.length, bytes, hasRepeats: false }, bounds) ? undefined : byTrace(rows);
}

async function readDocuments(
  store: Store,
  selected: DocumentSelection,
  dropsRepeats: boolean,
  options: QueryOptions,
): Promise<Map<TraceId, DocumentRow[]>> {
  const predicates = documentPredicates(selected);
  const statement = dropsRepeats ? distinctDocumentsSql(predicates) : documentsSql(predicates);
  return byTrace(await readRows(store, statement, options));
}

/** Rows of DOCUMENT_ROW, or of the short ones. */
export async function readRows(store: Store, statement: Sql, options: QueryOptions): Promise<readonly DocumentRow[]> {
  return (await store.query<EncodedDocumentRow>(statement, options)).map(readDocumentRow);
}

function byTrace(rows: readonly DocumentRow[]): Map<TraceId, DocumentRow[]> {
  const documents = new Map<TraceId, DocumentRow[]>();
  for (const row of rows) {
    const ofTrace = documents.get(row.traceId);
    if (ofTrace === undefined) documents.set(row.traceId, [row]);
    else ofTrace.push(row);
  }
  for (const ofTrace of documents.values()) ofTrace.sort((a, b) => a.seq - b.seq);
  return documents;
}

/** The traces of a group, in the order of the load; the first part of a trace that exceeds the bounds. */
export function assembledTraces({ documents }: DocumentGroup): readonly Trace[] {
  return Array.from(documents.values()).flatMap((ofTrace) => assembleTrace(ofTrace) ?? []);
}

/** One trace as far as it has arrived, or its first part; undefined for an unknown id. */
export async function loadDocuments(
  store: Store,
  traceId: TraceId,
  options: QueryOptions = {},
): Promise<{ readonly documents: readonly Document[]; readonly firstPart: FirstPart | undefined } | undefined> {
  for await (const { documents, exceeding } of documentGroups(store, [traceId], options)) {
    const ofTrace = documents.get(traceId) ?? [];
    return ofTrace.length === 0 ? undefined : { documents: ofTrace, firstPart: exceeding.get(traceId) };
  }
  return undefined;
}
