import { OpenrayError } from '../errors.ts';
import type { Document } from '../model/entity.ts';
import type { ParsedDocument } from '../model/parse-document.ts';
import { countOne, type Door, type Stats } from '../stats.ts';
import type { Store } from '../store/store.ts';
import type { Arrivals } from './arrivals.ts';

export type IngestContext = {
  readonly store: Store;
  readonly stats: Stats;
  readonly arrivals: Arrivals;
  /** Told of what has been stored. Must neither throw nor wait. */
  readonly onStored?: (documents: readonly Document[]) => void;
};

/**
 * The one door for trace data: every protocol decodes to outcomes and comes through here.
 * Resolves once the good documents are in ClickHouse (group commit); a rejection is data, its neighbours still go in.
 * Throws ThrottledException when the queue is full; then nothing of the batch was taken.
 */
export async function accept(
  outcomes: readonly ParsedDocument[],
  door: Door,
  { store, stats, arrivals, onStored }: IngestContext,
): Promise<void> {
  const documents = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.document] : []));
  const counters = stats.documents[door];
  counters.received += outcomes.length;
  for (const outcome of outcomes) if (!outcome.ok) countOne(stats.rejections, outcome.code);
  counters.rejected += outcomes.length - documents.length;
  if (documents.length === 0) return;
  counters.queued += documents.length;
  try {
    await store.append(documents);
    counters.stored += documents.length;
  } catch (thrown) {
    const isFull = thrown instanceof OpenrayError && thrown.code === 'ThrottledException';
    counters.dropped += documents.length;
    countOne(stats.drops, isFull ? 'queue-full' : 'store-failed', documents.length);
    throw thrown instanceof OpenrayError
      ? thrown
      : new OpenrayError('ServiceUnavailable', 'the store did not take the documents; try again', { cause: thrown });
  } finally {
    counters.queued -= documents.length;
  }
  onStored?.(documents);
  arrivals.announce([...new Set(documents.map((document) => document.traceId))]);
}
