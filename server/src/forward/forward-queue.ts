import type { ForwardCounts } from '../stats.ts';
import type { OutboundDocument } from './outbound-document.ts';
import { type RetryOptions, type SendResult, sendWithRetries } from './send-with-retries.ts';

export type ForwardTarget<Kind extends OutboundDocument> = {
  /** For the log. */
  readonly name: string;
  readonly batchMaxDocuments: number;
  /** Requests under way at once. */
  readonly maxConcurrentRequests: number;
  /** Never rejects. */
  send(parcels: readonly Kind[], cancel: AbortSignal): Promise<SendResult>;
};

export type ForwardQueueOptions = {
  readonly maxBytes: number;
  readonly counts: ForwardCounts;
  readonly log: { warn(fields: object, sentence: string): void };
  /** How long a batch that is not full waits for more. */
  readonly lingerMs?: number;
  /** How long to try one batch. */
  readonly maxElapsedMs?: number;
  readonly delayMs?: RetryOptions['delayMs'];
};

export type ForwardQueue<Kind extends OutboundDocument> = {
  /** Takes parcels without waiting for anything. Above `maxBytes` the oldest that wait are dropped, and counted. */
  push(parcels: readonly Kind[]): void;
  /** Tries to send what is left, for up to `graceMs`. */
  close(graceMs: number): Promise<void>;
};

const BATCH_MAX_BYTES = 1024 * 1024;
const WARN_EVERY_MS = 60_000;

/** Sends batches of documents to another backend, beside whatever else happens: nobody waits for it. */
export function createForwardQueue<Kind extends OutboundDocument>(
  { name, batchMaxDocuments: batchMaxParcels, maxConcurrentRequests: lanes, send }: ForwardTarget<Kind>,
  { maxBytes, counts, log, lingerMs = 200, maxElapsedMs: giveUpMs = 300_000, delayMs }: ForwardQueueOptions,
): ForwardQueue<Kind> {
  let waiting: Kind[] = [];
  /** Of `waiting`, what is gone already: arrays shift slowly. */
  let first = 0;
  let waitingBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let isDue = false;
  let isClosed = false;
  const underWay = new Set<Promise<void>>();
  const hurry = new AbortController();
  const cancel = new AbortController();
  let quietUntilMs = Number.NEGATIVE_INFINITY;

  function push(parcels: readonly Kind[]): void {
    counts.received += parcels.length;
    if (isClosed) {
      counts.dropped += parcels.length;
      return;
    }
    for (const parcel of parcels) {
      waiting.push(parcel);
      waitingBytes += parcel.bytes;
      counts.queuedBytes += parcel.bytes;
    }
    counts.queued += parcels.length;
    dropOldest();
    wake();
  }

  function dropOldest(): void {
    let dropped = 0;
    while (counts.queuedBytes > maxBytes && first < waiting.length) {
      settle([take()]);
      dropped += 1;
    }
    if (dropped === 0) return;
    counts.dropped += dropped;
    warnRarely('documents are not forwarded: the queue is full', { dropped });
  }

  function take(): Kind {
    const parcel = waiting[first] as Kind;
    first += 1;
    waitingBytes -= parcel.bytes;
    if (first > 1_000 && first * 2 > waiting.length) {
      waiting = waiting.slice(first);
      first = 0;
    }
    return parcel;
  }

  function settle(parcels: readonly Kind[]): void {
    counts.queued -= parcels.length;
    for (const parcel of parcels) counts.queuedBytes -= parcel.bytes;
  }

  function wake(): void {
    while (underWay.size < lanes && first < waiting.length && (isDue || isFull())) {
      const sent = deliver(takeBatch()).finally(() => {
        underWay.delete(sent);
        wake();
      });
      underWay.add(sent);
    }
    if (first === waiting.length) isDue = isClosed;
    else if (!isDue) timer ??= setTimeout(markDue, lingerMs);
  }

  function markDue(): void {
    clearTimeout(timer);
    timer = undefined;
    isDue = true;
    wake();
  }

  function isFull(): boolean {
    return waiting.length - first >= batchMaxParcels || waitingBytes >= BATCH_MAX_BYTES;
  }

  function takeBatch(): readonly Kind[] {
    const batch: Kind[] = [];
    let bytes = 0;
    while (batch.length < batchMaxParcels && bytes < BATCH_MAX_BYTES && first < waiting.length) {
      const parcel = take();
      bytes += parcel.bytes;
      batch.push(parcel);
    }
    return batch;
  }

  async function deliver(batch: readonly Kind[]): Promise<void> {
    const delivery = await sendWithRetries(() => send(batch, cancel.signal), {
      maxElapsedMs: giveUpMs,
      delayMs,
      stopRetrying: hurry.signal,
      onRetry(reason) {
        counts.retries += 1;
        warnRarely('forwarding fails and is tried again', { reason });
      },
    });
    settle(batch);
    const { reason } = delivery;
    if (delivery.kind === 'retry') {
      counts.dropped += batch.length;
      warnRarely('documents are not forwarded', { dropped: batch.length, reason });
      return;
    }
    const rejected = delivery.kind === 'refused' ? batch.length : Math.min(delivery.rejected, batch.length);
    counts.rejected += rejected;
    counts.sent += batch.length - rejected;
    if (rejected > 0) warnRarely('forwarded documents were refused', { rejected, reason });
  }

  function warnRarely(sentence: string, fields: object): void {
    if (performance.now() < quietUntilMs) return;
    quietUntilMs = performance.now() + WARN_EVERY_MS;
    log.warn({ target: name, ...fields }, sentence);
  }

  async function close(graceMs: number): Promise<void> {
    isClosed = true;
    hurry.abort();
    const grace = setTimeout(() => cancel.abort(), graceMs);
    markDue();
    while (underWay.size > 0) await Promise.all(underWay);
    clearTimeout(grace);
  }

  return { push, close };
}
