import { expect, onTestFinished, test } from 'vitest';
import type { LogEvent } from '../model/log-event.ts';
import type { TraceId } from '../model/trace-id.ts';
import { appendLogs } from './function-logs.ts';
import { sql } from './sql.ts';
import { makeTestDirectory, openTestStore } from './testing/open-test-store.ts';

const EVENT: LogEvent = {
  functionName: 'Orders',
  atUs: Date.now() * 1000,
  traceId: '6650a0803c4d5e6f708192a3b4c5d6e7' as TraceId,
  requestId: '2f6f6a3e-6c1f-4a57-9d5c-0b8f4d1e7a11',
  logGroup: '/aws/lambda/Orders',
  logStream: '2026/05/24/[$LATEST]ab',
  source: 'function',
  level: 'ERROR',
  text: `it's "quoted" \\ {p0:String} \t\n 日本 \u0001`,
};

test('the output of a function is stored unchanged, also without a trace', async () => {
  const directory = await makeTestDirectory();
  const store = await openTestStore(directory.path);
  onTestFinished(async () => {
    await store.close();
    await directory.remove();
  });
  const outside: LogEvent = {
    ...EVENT,
    atUs: EVENT.atUs + 1,
    traceId: undefined,
    requestId: undefined,
    text: 'x'.repeat(100_000),
  };
  await appendLogs(store, [EVENT, outside]);
  await appendLogs(store, []);
  const rows = await store.query<{ text: string; trace: string; request_id: string; at_us: number }>(
    sql`SELECT text, lower(hex(trace_id)) AS trace, request_id, at_us FROM function_logs ORDER BY at_us`,
  );
  expect(rows).toEqual([
    { text: EVENT.text, trace: EVENT.traceId, request_id: EVENT.requestId, at_us: EVENT.atUs },
    { text: outside.text, trace: '0'.repeat(32), request_id: '', at_us: outside.atUs },
  ]);
});
