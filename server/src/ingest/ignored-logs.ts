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
