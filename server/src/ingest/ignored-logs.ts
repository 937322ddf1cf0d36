import type { PartialSuccess } from './otlp.ts';

/** Adds ignored log records to the response. Not for every response: the exporter would log each one. */
export function withIgnoredLogs({ rejected, message }: PartialSuccess, ignored: number): PartialSuccess {
  const reason = 'openray stores traces only: of log records it accepts those that record an exception of a span';
  return { rejected: rejected + ignored, message: message === '' ? reason : `${message}; ${reason}` };
}

const HOUR_MS = 3_600_000;
/** Bounds the memory: above this many clients all start a new hour. */
const MAX_CLIENTS = 1_000;

/** True at most once an hour for each client. */
export function newHourlyLimit(nowMs: () => number = Date.now): (client: string) => boolean {
  const reportedAtMs = new Map<string, number>();
  return (client) => {
    const lastMs = reportedAtMs.get(client);
    if (lastMs !== undefined && nowMs() - lastMs < HOUR_MS) return false;
    if (reportedAtMs.size >= MAX_CLIENTS) reportedAtMs.clear();
    reportedAtMs.set(client, nowMs());
    return true;
  };
}
