import { expect, test } from 'vitest';
import { newCapacityWait, type WaitingSender } from './capacity-wait.ts';

const PATIENT: WaitingSender = { deadlineMs: Number.POSITIVE_INFINITY, isCancelled: () => false };

/** Capacity that the test gives and takes. */
function testCapacity() {
  const capacity = { isFree: false };
  return { capacity, hasCapacity: () => capacity.isFree };
}

test('a request does not wait while the store has capacity, however large it is', async () => {
  const waitForCapacity = newCapacityWait(() => true, 1);
  await waitForCapacity(1_000, PATIENT);
});

test('a request waits until the store has capacity', async () => {
  let asked = 0;
  const waitForCapacity = newCapacityWait(() => {
    asked += 1;
    return asked === 4;
  }, 10);
  await waitForCapacity(10, PATIENT);
  expect(asked).toBe(4);
});

test('a request that has waited until shortly before its deadline is throttled', async () => {
  const { hasCapacity } = testCapacity();
  const waitForCapacity = newCapacityWait(hasCapacity, 10);
  await expect(waitForCapacity(10, { ...PATIENT, deadlineMs: Date.now() + 260 })).rejects.toMatchObject({
    code: 'ThrottledException',
    retryAfterSeconds: 1,
  });
});

test('a request whose sender disconnects stops waiting', async () => {
  const { hasCapacity } = testCapacity();
  const waitForCapacity = newCapacityWait(hasCapacity, 10);
  await expect(waitForCapacity(10, { ...PATIENT, isCancelled: () => true })).rejects.toMatchObject({
    code: 'RequestCancelled',
  });
});

test('waiting requests are bounded in bytes, and a request that ends makes room for the next', async () => {
  const { capacity, hasCapacity } = testCapacity();
  const waitForCapacity = newCapacityWait(hasCapacity, 10);
  let isCancelled = false;
  const cancelled = waitForCapacity(6, { ...PATIENT, isCancelled: () => isCancelled });
  await expect(waitForCapacity(5, PATIENT)).rejects.toMatchObject({ code: 'ThrottledException' });
  const small = waitForCapacity(4, PATIENT);

  isCancelled = true;
  await expect(cancelled).rejects.toMatchObject({ code: 'RequestCancelled' });
  const next = waitForCapacity(6, PATIENT);

  capacity.isFree = true;
  await Promise.all([small, next]);
});
