import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newForwardCounts } from '../stats.ts';
import { createForwardQueue, type ForwardQueueOptions } from './forward-queue.ts';
import type { SendResult } from './send-with-retries.ts';

/** `close` ends when nothing waits any more, or after this. */
const PATIENT_MS = 60_000;

const parcel = (text: string) => ({ text, bytes: text.length + 100 });

/** A backend that answers when it is told to, and a queue for it. */
function aBackend(
  answer: (texts: readonly string[]) => SendResult | Promise<SendResult>,
  options: Partial<ForwardQueueOptions> = {},
) {
  const counts = newForwardCounts();
  const warnings: string[] = [];
  const requests: (readonly string[])[] = [];
  const queue = createForwardQueue<ReturnType<typeof parcel>>(
    {
      name: 'test',
      batchMaxDocuments: 3,
      maxConcurrentRequests: 2,
      async send(parcels) {
        const texts = parcels.map(({ text }) => text);
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

const taken: SendResult = { kind: 'taken', rejected: 0 };
const texts = (count: number) => Array.from({ length: count }, (_, index) => String(index));

test('everything goes out once, in batches, in order', async () => {
  const { queue, counts, requests } = aBackend(() => taken);
  queue.push(texts(8).map(parcel));
  await queue.close(PATIENT_MS);
  expect(requests).toEqual([
    ['0', '1', '2'],
    ['3', '4', '5'],
    ['6', '7'],
  ]);
  expect(counts).toEqual({ received: 8, sent: 8, rejected: 0, dropped: 0, queued: 0, queuedBytes: 0, retries: 0 });
});

test('what fails for a while is sent again, as often as it takes', async () => {
  let failures = 3;
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  const { queue, counts, requests } = aBackend(() => {
    if (failures-- > 0) return { kind: 'retry', reason: 'down' };
    resolve();
    return taken;
  });
  queue.push([parcel('a')]);
  await promise;
  await queue.close(PATIENT_MS);
  expect(requests).toHaveLength(4);
  expect(counts).toMatchObject({ sent: 1, dropped: 0, retries: 3 });
});

test('what is refused is not sent again', async () => {
  const { queue, counts, requests, warnings } = aBackend(() => ({ kind: 'refused', reason: '400' }));
  queue.push(texts(2).map(parcel));
  await queue.close(PATIENT_MS);
  expect(requests).toHaveLength(1);
  expect(counts).toMatchObject({ sent: 0, rejected: 2 });
  expect(warnings).toEqual(['forwarded documents were refused']);
});

test('a full queue drops the oldest, and says so once', async () => {
  let open: (delivery: SendResult) => void = () => {};
  const opened = new Promise<SendResult>((resolve) => {
    open = resolve;
  });
  const { queue, counts, requests, warnings } = aBackend(() => opened, { maxBytes: 1_010 });
  queue.push(texts(30).map(parcel));
  expect(counts.queuedBytes).toBeLessThanOrEqual(1_010);
  expect(counts).toMatchObject({ received: 30, queued: 9, dropped: 21 });
  queue.push(texts(20).map((text) => parcel(`later ${text}`)));
  expect(counts.queuedBytes).toBeLessThanOrEqual(1_010);
  open(taken);
  await queue.close(PATIENT_MS);
  expect(requests.at(-1)?.at(-1)).toBe('later 19');
  expect(counts).toMatchObject({ received: 50, queued: 0, queuedBytes: 0 });
  expect(counts.sent + counts.dropped).toBe(50);
  expect(warnings).toEqual(['documents are not forwarded: the queue is full']);
});

test('a batch is given up after its time', async () => {
  const { queue, counts } = aBackend(() => ({ kind: 'retry', reason: 'down' }), { maxElapsedMs: 0 });
  queue.push([parcel('a')]);
  await queue.close(PATIENT_MS);
  expect(counts).toMatchObject({ dropped: 1, queued: 0 });
});

test('closing does not wait for a backend that is away', async () => {
  const { queue, counts } = aBackend(() => ({ kind: 'retry', reason: 'down' }), { delayMs: () => 3_600_000 });
  queue.push(texts(9).map(parcel));
  await queue.close(100);
  expect(counts).toMatchObject({ received: 9, dropped: 9, queued: 0, queuedBytes: 0 });
  queue.push([parcel('too late')]);
  expect(counts).toMatchObject({ received: 10, dropped: 10 });
});

test('whatever the backend answers, the counters add up', async () => {
  const delivery = fc.oneof(
    fc.constant(taken),
    fc.constant<SendResult>({ kind: 'retry', reason: '' }),
    fc.constant<SendResult>({ kind: 'refused', reason: '' }),
    fc.nat(5).map((rejected): SendResult => ({ kind: 'taken', rejected })),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(7)),
      fc.infiniteStream(delivery),
      fc.integer({ min: 100, max: 2_000 }),
      async (sizes, answers, maxBytes) => {
        const { queue, counts } = aBackend(() => answers.next().value, { maxBytes });
        for (const size of sizes) queue.push(texts(size).map(parcel));
        await queue.close(1_000);
        const { received, sent, rejected, dropped, queued, queuedBytes } = counts;
        expect(sent + rejected + dropped).toBe(received);
        expect([queued, queuedBytes]).toEqual([0, 0]);
      },
    ),
    { numRuns: 50 },
  );
});
