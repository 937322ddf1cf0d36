import { OpenrayError } from '../errors.ts';
import type { Document } from '../model/entity.ts';
import type { ParsedDocument, RejectionCode } from '../model/parse-document.ts';
import { parseStored } from '../model/parse-stored.ts';
import type { TraceId } from '../model/trace-id.ts';
import { increment, type Receiver, type Stats } from '../stats.ts';
import type { EncodedDocuments } from '../store/encoded-documents.ts';
import { documentCount, traceIdsOf } from '../store/lean-batch.ts';
import { writtenBytes } from '../store/row-binary.ts';
import type { Store } from '../store/store.ts';
import { readDocumentRows } from '../store/write/rows.ts';
import type { Admission } from './admission.ts';
import type { StoredNotifications } from './stored-notifications.ts';

export type IngestContext = {
  readonly store: Store;
  readonly stats: Stats;
  /** To be asked by every receiver before it reads a request. */
  readonly admission: Admission;
  readonly notifications: StoredNotifications;
  /** Called with stored documents. Must neither throw nor block. */
  readonly onStored?: ((documents: readonly Document[]) => void) | undefined;
};

/**
 * The one entry point for trace data: every protocol decodes to results and calls this.
 * Resolves once the valid documents are acknowledged: in the journal, or without one in ClickHouse. A rejection is data:
 * the other documents are stored.
 * Throws ThrottledException when the queue is full; nothing of the batch is stored then.
 *
 * Not `async`, and callers drop their references to the results: objects that an unfinished function holds survive the
 * young generation of the garbage collector, which costs as much as parsing them.
 */
export function accept(results: readonly ParsedDocument[], receiver: Receiver, context: IngestContext): Promise<void> {
  const documents = results.flatMap((result) => (result.ok ? [result.document] : []));
  const rejections = new Map<RejectionCode, number>();
  for (const result of results) if (!result.ok) rejections.set(result.code, (rejections.get(result.code) ?? 0) + 1);
  countReceived(documents.length, rejections, receiver, context);
  if (documents.length === 0) return Promise.resolve();
  return countResults(context.store.append(documents), receiver, context, {
    count: documents.length,
    traceIds: [...new Set(documents.map((document) => document.traceId))],
    documents: context.onStored && (() => documents),
  });
}

/** As `accept`, for documents whose rows are encoded already; `rejections` counts the others by reason. */
export function acceptEncoded(
  encoded: EncodedDocuments,
  rejections: ReadonlyMap<RejectionCode, number>,
  receiver: Receiver,
  context: IngestContext,
): Promise<void> {
  const { lean } = encoded;
  const count = documentCount(lean);
  countReceived(count, rejections, receiver, context);
  if (count === 0) return Promise.resolve();
  const documents = context.onStored && documentReader(encoded);
  return countResults(context.store.append(encoded), receiver, context, {
    count,
    traceIds: traceIdsOf(lean),
    documents,
  });
}

/** Copies the rows, since their buffer is overwritten once they are stored. */
function documentReader({ documents }: EncodedDocuments): () => readonly Document[] {
  const rows = Buffer.from(writtenBytes(documents));
  return () => readDocumentRows(rows).flatMap(({ format, text, seq }) => parseStored(format, text, seq));
}

function countReceived(
  valid: number,
  rejections: ReadonlyMap<RejectionCode, number>,
  receiver: Receiver,
  { stats }: IngestContext,
): void {
  const counters = stats.documents[receiver];
  counters.received += valid;
  counters.queued += valid;
  for (const [code, count] of rejections) {
    increment(stats.rejections, code, count);
    counters.received += count;
    counters.rejected += count;
  }
}

type PendingBatch = {
  readonly count: number;
  readonly traceIds: readonly TraceId[];
  /** Undefined without `onStored`, so that documents are released early. */
  readonly documents: (() => readonly Document[]) | undefined;
};

async function countResults(
  appended: Promise<void>,
  receiver: Receiver,
  { stats, notifications, onStored }: IngestContext,
  { count, traceIds, documents }: PendingBatch,
): Promise<void> {
  const counters = stats.documents[receiver];
  try {
    await appended;
    counters.stored += count;
  } catch (thrown) {
    const isFull = thrown instanceof OpenrayError && thrown.code === 'ThrottledException';
    counters.dropped += count;
    increment(stats.drops, isFull ? 'queue-full' : 'store-failed', count);
    throw thrown instanceof OpenrayError
      ? thrown
      : new OpenrayError('ServiceUnavailable', 'the store refused the documents; try again', { cause: thrown });
  } finally {
    counters.queued -= count;
  }
  if (documents !== undefined) onStored?.(documents());
  notifications.notify(traceIds);
}
