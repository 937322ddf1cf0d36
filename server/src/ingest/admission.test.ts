import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AdmittedRequest, type ArrivingRequest, newAdmission } from './admission.ts';

/** Of which nine tenths are for admitted requests. */
const QUEUE_BYTES = 1_000;

const REQUEST: ArrivingRequest = {
  bytes: 10,
  heldBytes: 0,
  waitsUntilMs: Number.POSITIVE_INFINITY,
  isCancelled: () => false,
};

/** A queue that the test fills. */
function testAdmission(heldMaxBytes = 0) {
  const queue = { bytes: 0 };
  const admission = newAdmission({ queuedBytes: () => queue.bytes, queueMaxBytes: QUEUE_BYTES, heldMaxBytes });
  return { queue, ...admission };
}

test('the rows of admitted requests count as if they were in the queue', async () => {
  const { queue, admit, admitNow } = testAdmission();
  queue.bytes = 850;
  const first = await admit(REQUEST);
  first.expect(3);
  expect(admitNow(1)).toBeUndefined();
  first.release();
  first.release();
  first.expect(1_000);
  expect(admitNow(1)).toBeDefined();
});

test('a request of any size is admitted while the queue has room', async () => {
  await testAdmission().admit({ ...REQUEST, bytes: 1_000_000 });
});

test('requests wait for room in the order of their arrival', async () => {
  const { queue, admit, admitNow } = testAdmission();
  queue.bytes = QUEUE_BYTES;
  const order: number[] = [];
  const requests = [1, 2, 3].map(async (number) => {
    const admitted = await admit({ ...REQUEST, bytes: 300 });
    order.push(number);
    // The next one fits only after it.
    admitted.release();
  });
  queue.bytes = 0;
  expect(admitNow(1)).toBeUndefined();
  await Promise.all(requests);
  expect(order).toEqual([1, 2, 3]);
});

test('a request that has waited for too long is throttled', async () => {
  const { queue, admit } = testAdmission();
  queue.bytes = QUEUE_BYTES;
  await expect(admit({ ...REQUEST, waitsUntilMs: Date.now() + 30 })).rejects.toMatchObject({
    code: 'ThrottledException',
    retryAfterSeconds: 1,
  });
});

test('a request whose sender disconnects stops waiting', async () => {
  const { queue, admit } = testAdmission();
  queue.bytes = QUEUE_BYTES;
  await expect(admit({ ...REQUEST, isCancelled: () => true })).rejects.toMatchObject({ code: 'RequestCancelled' });
});

test('a request that waits for memory does not delay the others', async () => {
  const { queue, admit } = testAdmission();
  let hasMemory = false;
  const large = admit({ ...REQUEST, reserveMemory: () => hasMemory });
  queue.bytes = QUEUE_BYTES;
  const small = admit(REQUEST);
  queue.bytes = 0;
  await small;
  hasMemory = true;
  await large;
});

test('requests that hold memory while they wait are bounded in bytes, and one that ends makes room', async () => {
  const { queue, admit } = testAdmission(10);
  queue.bytes = QUEUE_BYTES;
  let isCancelled = false;
  const cancelled = admit({ ...REQUEST, heldBytes: 6, isCancelled: () => isCancelled });
  await expect(admit({ ...REQUEST, heldBytes: 5 })).rejects.toMatchObject({ code: 'ThrottledException' });
  const small = admit({ ...REQUEST, heldBytes: 4 });
  isCancelled = true;
  await expect(cancelled).rejects.toMatchObject({ code: 'RequestCancelled' });
  const next = admit({ ...REQUEST, heldBytes: 6 });
  queue.bytes = 0;
  await Promise.all([small, next]);
});

test('no request is admitted beyond the bound, and all room comes back', () => {
  const step = fc.record({ admits: fc.boolean(), which: fc.nat(20), bytes: fc.nat(100), queued: fc.nat(900) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { queue, admitNow } = testAdmission();
      const open: { readonly admitted: AdmittedRequest; readonly rows: number }[] = [];
      for (const { admits, which, bytes, queued } of steps) {
        queue.bytes = queued;
        if (!admits) {
          const [ended] = open.splice(which % (open.length || 1), 1);
          ended?.admitted.release();
          continue;
        }
        const isFull = queued + open.reduce((sum, { rows }) => sum + rows, 0) >= 900;
        const admitted = admitNow(bytes);
        expect(admitted === undefined).toBe(isFull);
        if (admitted) open.push({ admitted, rows: bytes * 4 });
      }
      for (const { admitted } of open) admitted.release();
      queue.bytes = 899;
      expect(admitNow(0)).toBeDefined();
    }),
  );
});
