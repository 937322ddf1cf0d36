import { OpenrayError } from '../errors.ts';
import type { Document } from '../model/entity.ts';
import type { ParsedDocument } from '../model/parse-document.ts';
import type { TraceId } from '../model/trace-id.ts';
import { countOne, type Door, type Stats } from '../stats.ts';
import type { Store } from '../store/store.ts';
import type { Arrivals } from './stored-notifications.ts';

export type IngestContext = {
  readonly store: Store;
  readonly stats: Stats;
  readonly arrivals: Arrivals;
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
export function accept(outcomes: readonly ParsedDocument[], door: Door, context: IngestContext): Promise<void> {
  const { store, stats, onStored } = context;
  const documents = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.document] : []));
  const counters = stats.documents[door];
  counters.received += outcomes.length;
  for (const outcome of outcomes) if (!outcome.ok) countOne(stats.rejections, outcome.code);
  counters.rejected += outcomes.length - documents.length;
  if (documents.length === 0) return Promise.resolve();
  counters.queued += documents.length;
  return settle(store.append(documents), door, context, {
    count: documents.length,
    traceIds: [...new Set(documents.map((document) => document.traceId))],
    whole: onStored && documents,
  });
}

type Waiting = {
  readonly count: number;
  readonly traceIds: readonly TraceId[];
  /** Only where somebody is told of them. */
  readonly whole: readonly Document[] | undefined;
};

async function settle(
  appended: Promise<void>,
  door: Door,
  { stats, arrivals, onStored }: IngestContext,
  { count, traceIds, whole }: Waiting,
): Promise<void> {
  const counters = stats.documents[door];
  try {
    await appended;
    counters.stored += count;
  } catch (thrown) {
    const isFull = thrown instanceof OpenrayError && thrown.code === 'ThrottledException';
    counters.dropped += count;
    countOne(stats.drops, isFull ? 'queue-full' : 'store-failed', count);
    throw thrown instanceof OpenrayError
      ? thrown
      : new OpenrayError('ServiceUnavailable', 'the store did not take the documents; try again', { cause: thrown });
  } finally {
    counters.queued -= count;
  }
  if (whole !== undefined) onStored?.(whole);
  arrivals.announce(traceIds);
}
