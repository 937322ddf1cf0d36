import type { ForwardCounts } from '../stats.ts';
import type { OutboundDocument } from './outbound-document.ts';
import { type RetryOptions, type SendResult, sendWithRetries } from './send-with-retries.ts';

export type ForwardTarget<Kind extends OutboundDocument> = {
  /** In log lines and metrics. */
  readonly name: string;
  readonly batchMaxDocuments: number;
  /** Requests in flight at once. */
  readonly maxConcurrentRequests: number;
  /** Never rejects. */
  send(batch: readonly Kind[], cancel: AbortSignal): Promise<SendResult>;
};

export type ForwardQueueOptions = {
  readonly maxBytes: number;
  readonly counts: ForwardCounts;
  readonly log: { warn(fields: object, sentence: string): void };
  /** How long a batch that is not full waits for more documents. */
  readonly lingerMs?: number;
  /** How long to retry one batch. */
  readonly maxElapsedMs?: number;
  readonly delayMs?: RetryOptions['delayMs'];
};

export type ForwardQueue<Kind extends OutboundDocument> = {
  /** Returns at once. Above `maxBytes` the oldest waiting documents are dropped and counted. */
  push(documents: readonly Kind[]): void;
  /** Sends the waiting documents, for up to `graceMs`; drops the rest. */
  close(graceMs: number): Promise<void>;
};

const BATCH_MAX_BYTES = 1024 * 1024;
const WARN_EVERY_MS = 60_000;

/** Sends batches of documents to another backend in the background. Receivers never wait for it. */
export function createForwardQueue<Kind extends OutboundDocument>(
  { name, batchMaxDocuments, maxConcurrentRequests, send }: ForwardTarget<Kind>,
  { maxBytes, counts, log, lingerMs = 200, maxElapsedMs = 300_000, delayMs }: ForwardQueueOptions,
): ForwardQueue<Kind> {
  let waiting: Kind[] = [];
  /** Index of the oldest document in `waiting`. Documents before it are dequeued: `shift` would be slow. */
  let head = 0;
  let waitingBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  /** Documents waited for `lingerMs`: batches are sent even if they are not full. */
  let isDue = false;
  let isClosed = false;
  const inFlight = new Set<Promise<void>>();
  const stopRetrying = new AbortController();
  const cancel = new AbortController();
  let quietUntilMs = Number.NEGATIVE_INFINITY;

  function push(documents: readonly Kind[]): void {
    counts.received += documents.length;
    if (isClosed) {
      counts.dropped += documents.length;
      return;
    }
    for (const document of documents) {
      waiting.push(document);
      waitingBytes += document.bytes;
      counts.queuedBytes += document.bytes;
    }
    counts.queued += documents.length;
    dropOldest();
    startSends();
  }

  function dropOldest(): void {
    let dropped = 0;
    while (counts.queuedBytes > maxBytes && head < waiting.length) {
      subtractFromQueued([dequeue()]);
      dropped += 1;
    }
    if (dropped === 0) return;
    counts.dropped += dropped;
    warnRateLimited('forward queue full; oldest documents dropped', { dropped });
  }

  function dequeue(): Kind {
    const document = waiting[head] as Kind;
    head += 1;
    waitingBytes -= document.bytes;
    if (head > 1_000 && head * 2 > waiting.length) {
      waiting = waiting.slice(head);
      head = 0;
    }
    return document;
  }

  function subtractFromQueued(documents: readonly Kind[]): void {
    counts.queued -= documents.length;
    for (const document of documents) counts.queuedBytes -= document.bytes;
  }

  function startSends(): void {
    while (inFlight.size < maxConcurrentRequests && head < waiting.length && (isDue || isFull())) {
      const sent = sendBatch(dequeueBatch()).finally(() => {
        inFlight.delete(sent);
        startSends();
      });
      inFlight.add(sent);
    }
    if (head === waiting.length) isDue = isClosed;
    else if (!isDue) timer ??= setTimeout(flush, lingerMs);
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    isDue = true;
    startSends();
  }

  function isFull(): boolean {
    return waiting.length - head >= batchMaxDocuments || waitingBytes >= BATCH_MAX_BYTES;
  }

  function dequeueBatch(): readonly Kind[] {
    const batch: Kind[] = [];
    let bytes = 0;
    while (batch.length < batchMaxDocuments && bytes < BATCH_MAX_BYTES && head < waiting.length) {
      const document = dequeue();
      bytes += document.bytes;
      batch.push(document);
    }
    return batch;
  }

  async function sendBatch(batch: readonly Kind[]): Promise<void> {
    const result = await sendWithRetries(() => send(batch, cancel.signal), {
      maxElapsedMs,
      delayMs,
      stopRetrying: stopRetrying.signal,
      onRetry(reason) {
        counts.retries += 1;
        warnRateLimited('forwarding failed; retrying', { reason });
      },
    });
    subtractFromQueued(batch);
    const { reason } = result;
    if (result.kind === 'retry') {
      counts.dropped += batch.length;
      warnRateLimited('forwarding failed; documents dropped', { dropped: batch.length, reason });
      return;
    }
    const rejected = result.kind === 'rejected' ? batch.length : Math.min(result.rejected, batch.length);
    counts.rejected += rejected;
    counts.sent += batch.length - rejected;
    if (rejected > 0) warnRateLimited('backend rejected documents', { rejected, reason });
  }

  function warnRateLimited(sentence: string, fields: object): void {
    if (performance.now() < quietUntilMs) return;
    quietUntilMs = performance.now() + WARN_EVERY_MS;
    log.warn({ target: name, ...fields }, sentence);
  }

  async function close(graceMs: number): Promise<void> {
    isClosed = true;
    stopRetrying.abort();
    const grace = setTimeout(() => cancel.abort(), graceMs);
    flush();
    while (inFlight.size > 0) await Promise.all(inFlight);
    clearTimeout(grace);
  }

  return { push, close };
}
