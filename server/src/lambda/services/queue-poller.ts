import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { parseTraceHeader } from '../../model/trace-header.ts';
import type { ProducerLink } from '../spec/lambda-client.ts';
import type { QueueSource } from '../spec/services.ts';
import { fifoAttributes, type Queue, type QueueMessage } from './queue.ts';
import { matchesFilters } from './queue-filter.ts';

export type QueuePoller = {
  readonly isIdle: () => boolean;
  readonly whenIdle: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export type BatchResult = { readonly payload: Buffer; readonly isFunctionError: boolean };

/** Runs the function for a batch. Throws when the function could not be run. */
export type RunBatch = (event: JsonObject, links: readonly ProducerLink[]) => Promise<BatchResult>;

/** X-Ray's limit for one segment. */
const LINKS_MAX = 20;
/** Delay before a batch that could not be run is received again, as after a throttled invocation on AWS. */
const RETRY_MS = 1000;

/**
 * Polls a queue as Lambda does, and passes messages to the function in batches. Handled messages are removed; others
 * are received again after the visibility timeout of the queue. Each batch has its own trace, linked to the producers'.
 */
export function pollQueue(queue: Queue, source: QueueSource, region: string, run: RunBatch): QueuePoller {
  const closing = new AbortController();
  const handling = new Set<Promise<void>>();
  const recordOf = (message: QueueMessage) => sqsRecord(message, queue.spec.arn, region);
  const polling = (async () => {
    while (!closing.signal.aborted) {
      const batch = await nextBatch(queue, source, closing.signal, recordOf);
      if (batch.length === 0) continue;
      const handled: Promise<void> = handle(batch).finally(() => handling.delete(handled));
      handling.add(handled);
      if (handling.size >= source.maxConcurrency) await Promise.race(handling);
    }
  })();

  async function handle(batch: readonly QueueMessage[]): Promise<void> {
    try {
      const result = await run({ Records: batch.map(recordOf) }, linksOf(batch));
      const failed = failedIds(result, batch, source.reportsItemFailures);
      for (const { id, receipt } of batch) if (!failed.has(id)) queue.remove(receipt);
    } catch {
      for (const { receipt } of batch) queue.setVisibility(receipt, RETRY_MS);
    }
  }

  return {
    isIdle: () => handling.size === 0 && queue.counts().available === 0,
    async whenIdle() {
      // The poller receives visible messages in the next turn of the event loop.
      await new Promise(setImmediate);
      await Promise.all(handling);
    },
    async close() {
      closing.abort();
      await polling;
      await Promise.all(handling);
    },
  };
}

/**
 * Waits for a full batch, or for the end of the batching window. A message that matches no filter is removed from the
 * queue, as Lambda does.
 */
async function nextBatch(
  queue: Queue,
  { batchSize, windowMs, filters }: QueueSource,
  signal: AbortSignal,
  recordOf: (message: QueueMessage) => JsonObject,
): Promise<readonly QueueMessage[]> {
  const visibilityMs = queue.spec.visibilityTimeoutMs + windowMs;
  const receive = async (max: number, waitMs: number) =>
    (await queue.receive(max, { waitMs, visibilityMs, signal })).filter((message) => {
      const isWanted = matchesFilters(recordOf(message), filters);
      if (!isWanted) queue.remove(message.receipt);
      return isWanted;
    });
  const batch = await receive(batchSize, Number.POSITIVE_INFINITY);
  const untilMs = Date.now() + windowMs;
  while (batch.length > 0 && batch.length < batchSize && Date.now() < untilMs && !signal.aborted) {
    batch.push(...(await receive(batchSize - batch.length, untilMs - Date.now())));
  }
  return batch;
}

function sqsRecord(message: QueueMessage, arn: string, awsRegion: string): JsonObject {
  const { fifo } = message;
  return {
    messageId: message.id,
    receiptHandle: message.receipt,
    body: message.body,
    attributes: {
      ApproximateReceiveCount: String(message.receiveCount),
      ...(message.traceHeader === undefined ? {} : { AWSTraceHeader: message.traceHeader }),
      SentTimestamp: String(message.sentMs),
      ...(fifo === undefined ? {} : fifoAttributes(fifo)),
      SenderId: 'openray',
      ApproximateFirstReceiveTimestamp: String(message.firstReceivedMs),
    },
    messageAttributes: Object.fromEntries(
      Object.entries(message.attributes).map(([name, value]) => [name, lowerKeys(value)]),
    ),
    md5OfBody: message.bodyMd5,
    eventSource: 'aws:sqs',
    eventSourceARN: arn,
    awsRegion,
  };
}

/** An event has `stringValue` for the API's `StringValue`. */
function lowerKeys(value: JsonValue): JsonObject {
  const entries = Object.entries(isJsonObject(value) ? value : {});
  return Object.fromEntries(entries.map(([key, part]) => [key.charAt(0).toLowerCase() + key.slice(1), part]));
}

/** One link to each sampled producer, at most LINKS_MAX. */
function linksOf(batch: readonly QueueMessage[]): readonly ProducerLink[] {
  const links = new Map<string, ProducerLink>();
  for (const { traceHeader = '' } of batch) {
    const { root, parent, sampled } = parseTraceHeader(traceHeader);
    if (root !== undefined && sampled !== '0') links.set(`${root} ${parent}`, { traceId: root, id: parent });
  }
  return [...links.values()].slice(0, LINKS_MAX);
}

function failedIds(
  { payload, isFunctionError }: BatchResult,
  batch: readonly QueueMessage[],
  isPartial: boolean,
): ReadonlySet<string> {
  const all = new Set(batch.map(({ id }) => id));
  if (isFunctionError) return all;
  if (!isPartial) return new Set();
  try {
    const response: JsonValue = JSON.parse(payload.toString());
    const failures = isJsonObject(response) ? (response.batchItemFailures ?? []) : [];
    if (!Array.isArray(failures)) return all;
    const ids = (failures as readonly JsonValue[]).map((failure) => isJsonObject(failure) && failure.itemIdentifier);
    // As on AWS, an identifier that is not in the batch fails the whole batch.
    return ids.every((id) => typeof id === 'string' && all.has(id)) ? new Set(ids as readonly string[]) : all;
  } catch {
    return all;
  }
}
