import type { Stats } from '../stats.ts';

const HOUR_MS = 3_600_000;

/**
 * Counts the log records that openray does not store. Logs at most one line an hour, with the number since the last
 * line: exporters send a batch every second.
 */
export function newLogRecordsDropper(
  stats: Pick<Stats, 'ignored'>,
  log: { warn(fields: object, sentence: string): void },
  nowMs: () => number = Date.now,
): (logRecords: number) => void {
  let dueAtMs = Number.NEGATIVE_INFINITY;
  let unlogged = 0;
  return (logRecords) => {
    stats.ignored.logRecords += logRecords;
    unlogged += logRecords;
    if (unlogged === 0 || nowMs() < dueAtMs) return;
    log.warn(
      { logRecords: unlogged },
      'log records dropped: openray stores traces, and of log records those of exceptions; OTEL_LOGS_EXPORTER=none stops an exporter, /metrics counts further ones',
    );
    dueAtMs = nowMs() + HOUR_MS;
    unlogged = 0;
  };
}
