import type { LogEvent } from '../model/log-event.ts';
import { sql } from './sql.ts';
import type { Store } from './store.ts';

const NO_TRACE = '0'.repeat(32);

/** Resolves once the events are in ClickHouse. */
export async function appendLogs(store: Pick<Store, 'command'>, events: readonly LogEvent[]): Promise<void> {
  if (events.length === 0) return;
  const texts = (of: (event: LogEvent) => string) => sql.typed(events.map(of), 'Array(String)');
  await store.command(sql`
    INSERT INTO function_logs (function_name, at_us, trace_id, request_id, log_group, log_stream, source, level, text)
    SELECT row.1, toUInt64(row.2), toFixedString(unhex(row.3), 16), row.4, row.5, row.6, row.7, row.8, row.9
    FROM (
      SELECT arrayJoin(arrayZip(
        ${texts(({ functionName }) => functionName)},
        ${texts(({ atUs }) => String(atUs))},
        ${texts(({ traceId }) => traceId ?? NO_TRACE)},
        ${texts(({ requestId }) => requestId ?? '')},
        ${texts(({ logGroup }) => logGroup)},
        ${texts(({ logStream }) => logStream)},
        ${texts(({ source }) => source)},
        ${texts(({ level }) => level)},
        ${texts(({ text }) => text)}
      )) AS row
    )`);
}
