import { Session } from 'node:inspector';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addRows, CHUNK_BYTES, cutRowsBack, newChunkPool, newRowChunks, partsOf } from './row-chunks.ts';

test('chunks have the bytes of one buffer after any sequence of adding and cutting back', () => {
  const rows = fc.tuple(fc.oneof(fc.nat(2_000), fc.nat(3 * CHUNK_BYTES)), fc.nat(255));
  const steps = fc.array(fc.oneof(fc.record({ rows }), fc.record({ cutTo: fc.nat(20) })), { maxLength: 12 });
  const pool = newChunkPool();
  fc.assert(
    fc.property(steps, (given) => {
      const target = newRowChunks();
      const expected: Buffer[] = [];
      for (const step of given) {
        if ('rows' in step) {
          const added = Buffer.alloc(step.rows[0], step.rows[1]);
          expect(Buffer.compare(addRows(target, added, pool), added)).toBe(0);
          expected.push(added);
        } else {
          expected.length = Math.min(expected.length, step.cutTo);
          cutRowsBack(target, Buffer.concat(expected).length, pool);
        }
      }
      const whole = Buffer.concat(expected);
      expect(target.length).toBe(whole.length);
      expect(Buffer.concat(partsOf(target)).equals(whole)).toBe(true);
      cutRowsBack(target, 0, pool);
      expect(partsOf(target)).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test('a chunk is used again, and one of another size is not kept', () => {
  const pool = newChunkPool();
  const [usual, large] = [pool.take(1), pool.take(CHUNK_BYTES + 1)];
  expect(large.length).toBe(CHUNK_BYTES + 1);
  pool.give(usual);
  pool.give(large);
  // Not `toBe`, which compares all bytes of two buffers.
  expect(pool.take(CHUNK_BYTES) === usual).toBe(true);
  expect(pool.take(1) === large).toBe(false);
});

test('a chunk that is not kept returns its memory at once', () => {
  const pool = newChunkPool();
  const large = pool.take(CHUNK_BYTES + 1);
  pool.give(large);
  expect(large.buffer.byteLength).toBe(0);
});

test('no rows take no chunk', () => {
  const rows = newRowChunks();
  expect(addRows(rows, Buffer.alloc(0), newChunkPool())).toHaveLength(0);
  expect(rows.chunks.length).toBe(0);
});

test('chunks that are not in use do not survive a collection of all garbage', async () => {
  const pool = newChunkPool();
  const rows = newRowChunks();
  addRows(rows, Buffer.alloc(1), pool);
  cutRowsBack(rows, 0, pool);
  const before = process.memoryUsage().external;
  // A weak reference keeps its object until the end of the task that made it.
  await new Promise((resolve) => setImmediate(resolve));
  const session = new Session();
  session.connect();
  await new Promise((resolve) => session.post('HeapProfiler.collectGarbage', resolve));
  session.disconnect();
  expect(process.memoryUsage().external).toBeLessThan(before - CHUNK_BYTES + 1);
  expect(pool.take(1).length).toBe(CHUNK_BYTES);
});
