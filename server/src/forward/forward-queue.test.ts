import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newForwardCounts } from '../stats.ts';
import { createForwardQueue, type ForwardQueueOptions } from './forward-queue.ts';
import type { SendResult } from './send-with-retries.ts';

/** `close` ends when no document waits, or after this time. */
const PATIENT_MS = 60_000;

const outbound = (text: string) => ({ text, bytes: text.length + 100 });

/** A queue, and the backend that it sends to. `answer` decides each response. */
function aBackend(
  answer: (texts: readonly string[]) => SendResult | Promise<SendResult>,
  options: Partial<ForwardQueueOptions> = {},
) {
  const counts = newForwardCounts();
  const warnings: string[] = [];
  const requests: (readonly string[])[] = [];
  const queue = createForwardQueue<ReturnType<typeof outbound>>(
    {
      name: 'test',
      batchMaxDocuments: 3,
      maxConcurrentRequests: 2,
      async send(documents) {
        const texts = documents.map(({ text }) => text);
        requests.push(texts);
        return answer(texts);
      },
    },
    {
      maxBytes: 1_000_000,
      counts,
      log: { warn: (_fields, sentence) => void warnings.push(sentence) },
      lingerMs: 1,
      delayMs: () => 1,
      ...options,
    },
  );
  return { queue, counts, requests, warnings };
}

const accepted: SendResult = { kind: 'accepted', rejected: 0 };
const texts = (count: number) => Array.from({ length: count }, (_, index) => String(index));

test('every document is sent once, in batches, in order', async () => {
  const { queue, counts, requests } = aBackend(() => accepted);
  queue.push(texts(8).map(outbound));
  await queue.close(PATIENT_MS);
  expect(requests).toEqual([
    ['0', '1', '2'],
    ['3', '4', '5'],
    ['6', '7'],
  ]);
  expect(counts).toEqual({ received: 8, sent: 8, rejected: 0, dropped: 0, queued: 0, queuedBytes: 0, retries: 0 });
});

test('a batch that fails is retried until the backend accepts it', async () => {
  let failures = 3;
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  const { queue, counts, requests } = aBackend(() => {
    if (failures-- > 0) return { kind: 'retry', reason: 'down' };
    resolve();
    return accepted;
  });
  queue.push([outbound('a')]);
  await promise;
  await queue.close(PATIENT_MS);
  expect(requests).toHaveLength(4);
  expect(counts).toMatchObject({ sent: 1, dropped: 0, retries: 3 });
});

test('a rejected batch is not retried', async () => {
  const { queue, counts, requests, warnings } = aBackend(() => ({ kind: 'rejected', reason: '400' }));
  queue.push(texts(2).map(outbound));
  await queue.close(PATIENT_MS);
  expect(requests).toHaveLength(1);
  expect(counts).toMatchObject({ sent: 0, rejected: 2 });
  expect(warnings).toEqual(['backend rejected documents']);
});

test('a full queue drops its oldest documents and warns once', async () => {
  let respond: (result: SendResult) => void = () => {};
  const response = new Promise<SendResult>((resolve) => {
    respond = resolve;
  });
  const { queue, counts, requests, warnings } = aBackend(() => response, { maxBytes: 1_010 });
  queue.push(texts(30).map(outbound));
  expect(counts.queuedBytes).toBeLessThanOrEqual(1_010);
  expect(counts).toMatchObject({ received: 30, queued: 9, dropped: 21 });
  queue.push(texts(20).map((text) => outbound(`later ${text}`)));
  expect(counts.queuedBytes).toBeLessThanOrEqual(1_010);
  respond(accepted);
  await queue.close(PATIENT_MS);
  expect(requests.at(-1)?.at(-1)).toBe('later 19');
  expect(counts).toMatchObject({ received: 50, queued: 0, queuedBytes: 0 });
  expect(counts.sent + counts.dropped).toBe(50);
  expect(warnings).toEqual(['forward queue full; oldest documents dropped']);
});

test('a batch is dropped when its time limit has passed', async () => {
  const { queue, counts } = aBackend(() => ({ kind: 'retry', reason: 'down' }), { maxElapsedMs: 0 });
  queue.push([outbound('a')]);
  await queue.close(PATIENT_MS);
  expect(counts).toMatchObject({ dropped: 1, queued: 0 });
});

test('closing does not wait for an unreachable backend', async () => {
  const { queue, counts } = aBackend(() => ({ kind: 'retry', reason: 'down' }), { delayMs: () => 3_600_000 });
  queue.push(texts(9).map(outbound));
  await queue.close(100);
  expect(counts).toMatchObject({ received: 9, dropped: 9, queued: 0, queuedBytes: 0 });
  queue.push([outbound('too late')]);
  expect(counts).toMatchObject({ received: 10, dropped: 10 });
});

test('the counters add up for every sequence of responses', async () => {
  const result = fc.oneof(
    fc.constant(accepted),
    fc.constant<SendResult>({ kind: 'retry', reason: '' }),
    fc.constant<SendResult>({ kind: 'rejected', reason: '' }),
    fc.nat(5).map((rejected): SendResult => ({ kind: 'accepted', rejected })),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(7)),
      fc.infiniteStream(result),
      fc.integer({ min: 100, max: 2_000 }),
      async (sizes, answers, maxBytes) => {
        const { queue, counts } = aBackend(() => answers.next().value, { maxBytes });
        for (const size of sizes) queue.push(texts(size).map(outbound));
        await queue.close(1_000);
        const { received, sent, rejected, dropped, queued, queuedBytes } = counts;
        expect(sent + rejected + dropped).toBe(received);
        expect([queued, queuedBytes]).toEqual([0, 0]);
      },
    ),
    { numRuns: 50 },
  );
});
