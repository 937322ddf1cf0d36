import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { TraceId } from '../../model/trace-id.ts';
import { newUpdatedTraces } from './updated-traces.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

test('names every trace since a time, the latest first, or does not answer', () => {
  const update = fc.record({ id: fc.integer({ min: 0, max: 20 }), afterMs: fc.integer({ min: -5, max: 5 }) });
  fc.assert(
    fc.property(fc.array(update), fc.integer({ min: 1, max: 10 }), fc.nat(100), (updates, maxTraces, sinceMs) => {
      let nowMs = 1000;
      const recent = newUpdatedTraces(nowMs * 1000, maxTraces);
      const fromUs = (1000 + sinceMs) * 1000;
      const expected = new Set<string>();
      for (const { id, afterMs } of updates) {
        nowMs += afterMs;
        vi.setSystemTime(nowMs);
        recent.add([`${id}` as TraceId]);
        if (nowMs * 1000 < fromUs) continue;
        expected.delete(`${id}`);
        expected.add(`${id}`);
      }
      const all = recent.since(fromUs, () => true);
      if (all === undefined) return;
      expect(all.length).toBeLessThanOrEqual(maxTraces);
      for (const id of expected) expect(all).toContain(id);
      const odd = recent.since(fromUs, (id) => Number(id) % 2 === 1);
      expect(odd).toEqual(all.filter((id) => Number(id) % 2 === 1));
    }),
  );
});

test('does not answer for a time before its start, or before a trace that it no longer knows', () => {
  const ids = ['a', 'b', 'c'] as TraceId[];
  const recent = newUpdatedTraces(1_000_000, 2);
  expect(recent.since(1_000_000, () => true)).toBeUndefined();
  expect(recent.since(1_000_001, () => true)).toEqual([]);
  for (const [index, id] of ids.entries()) {
    vi.setSystemTime(2000 + index);
    recent.add([id]);
  }
  expect(recent.since(2_000_000, () => true)).toBeUndefined();
  expect(recent.since(2_000_001, () => true)).toEqual(['c', 'b']);
});
