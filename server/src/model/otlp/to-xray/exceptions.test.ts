import { expect, test } from 'vitest';
import type { LogRecord, SpanEvent } from '../../otlp-messages.ts';
import { eventsOfRecords } from './exceptions.ts';

const span = { traceId: '1'.repeat(32), spanId: '2'.repeat(16) };
const at = (nanos: bigint) => String(1_716_560_000_000_000_000n + nanos);
const exceptionAt = (nanos: bigint, type = 'Late'): SpanEvent & LogRecord => ({
  timeUnixNano: at(nanos),
  attributes: [{ key: 'exception.type', value: { stringValue: type } }],
});

test.each<[bigint, bigint, number]>([
  [0n, 0n, 0],
  [999_999n, 1_000_001n, 0],
  [999_999n, 1_999_999n, 0],
  [999_999n, 2_000_000n, 1],
  [2_000_000n, 1_000_000n, 0],
  [2_000_000n, 999_999n, 1],
  [0n, 5_000_000n, 1],
])('a record at %d ns with an event at %d ns gives %d more exceptions', (record, event, more) => {
  const events = [{ ...exceptionAt(event), name: 'exception' }];
  expect(eventsOfRecords({ ...span, events }, [exceptionAt(record)])).toHaveLength(more);
});

test('a record of another type is another exception; a duplicate record is not', () => {
  const records = [exceptionAt(0n), exceptionAt(0n), exceptionAt(0n, 'Other')];
  expect(eventsOfRecords(span, records)).toHaveLength(2);
});

test('sixteen times the records take some sixteen times as long, not 256 times', () => {
  const processorUs = (count: number) => {
    const many = Array.from({ length: count }, (_, index) => exceptionAt(BigInt(index) * 3_000_000n));
    const events = many.map((event) => ({ ...event, name: 'exception' }));
    const begin = process.cpuUsage();
    const found = eventsOfRecords({ ...span, events }, many);
    const { user } = process.cpuUsage(begin);
    expect(found).toEqual([]);
    return user;
  };
  // Garbage collection may fall into any one run.
  const shortestOf = (runs: number, count: number) =>
    Math.min(...Array.from({ length: runs }, () => processorUs(count)));
  expect(shortestOf(3, 80_000) / shortestOf(3, 5_000)).toBeLessThan(64);
});
