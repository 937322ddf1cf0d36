import { OpenrayError } from '../errors.ts';
import type { Document } from '../model/entity.ts';
import type { ParsedDocument } from '../model/parse-document.ts';
import type { TraceId } from '../model/trace-id.ts';
import { increment, type Receiver, type Stats } from '../stats.ts';
import type { Store } from '../store/store.ts';
import type { StoredNotifications } from './stored-notifications.ts';

export type IngestContext = {
  readonly store: Store;
  readonly stats: Stats;
  readonly notifications: StoredNotifications;
  /** Told of what has been stored. Must neither throw nor wait. */
  readonly onStored?: ((documents: readonly Document[]) => void) | undefined;
};

/**
 * The one door for trace data: every protocol decodes to outcomes and comes through here.
 * Resolves once the good documents are in ClickHouse (group commit); a rejection is data, its neighbours still go in.
 * Throws ThrottledException when the queue is full; then nothing of the batch was taken.
 *
 * Not `async`, and its callers let go of the outcomes: whatever an unfinished function holds outlives the garbage
 * collector's first look, which costs as much as reading it did.
 */
export function accept(outcomes: readonly ParsedDocument[], door: Receiver, context: IngestContext): Promise<void> {
  const { store, stats, onStored } = context;
  const documents = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.document] : []));
  const counters = stats.documents[door];
  counters.received += outcomes.length;
  for (const outcome of outcomes) if (!outcome.ok) increment(stats.rejections, outcome.code);
  counters.rejected += outcomes.length - documents.length;
  if (documents.length === 0) return Promise.resolve();
  counters.queued += documents.length;
  return countResults(store.append(documents), door, context, {
    count: documents.length,
    traceIds: [...new Set(documents.map((document) => document.traceId))],
    documents: onStored && documents,
  });
}

type PendingBatch = {
  readonly count: number;
  readonly traceIds: readonly TraceId[];
  /** Only where somebody is told of them. */
  readonly documents: readonly Document[] | undefined;
};

async function countResults(
  appended: Promise<void>,
  door: Receiver,
  { stats, notifications: arrivals, onStored }: IngestContext,
  { count, traceIds, documents: whole }: PendingBatch,
): Promise<void> {
  const counters = stats.documents[door];
  try {
    await appended;
    counters.stored += count;
  } catch (thrown) {
    const isFull = thrown instanceof OpenrayError && thrown.code === 'ThrottledException';
    counters.dropped += count;
    increment(stats.drops, isFull ? 'queue-full' : 'store-failed', count);
    throw thrown instanceof OpenrayError
      ? thrown
      : new OpenrayError('ServiceUnavailable', 'the store did not take the documents; try again', { cause: thrown });
  } finally {
    counters.queued -= count;
  }
  if (whole !== undefined) onStored?.(whole);
  arrivals.notify(traceIds);
}
