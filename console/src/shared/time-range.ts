import type { TimeInterval } from 'openray/model';

/**
 * Time range of a page: a number of seconds up to now, or from one time to another.
 * In the URL: `15m`, or ISO 8601's `start/end`.
 */
export type TimeRange =
  | { readonly kind: 'relative'; readonly seconds: number }
  | { readonly kind: 'absolute'; readonly fromUs: number; readonly toUs: number };

export const DEFAULT_RANGE = '1h';

/** The ranges that are offered by name, shortest first. */
export const RELATIVE_RANGES = ['5m', '15m', '30m', '1h', '3h', '6h', '24h', '7d'] as const;

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Undefined when `text` is not a range. */
export function readTimeRange(text: string): TimeRange | undefined {
  const relative = /^([1-9]\d{0,5})([smhd])$/.exec(text);
  if (relative) return { kind: 'relative', seconds: Number(relative[1]) * (UNIT_SECONDS[relative[2] ?? ''] ?? 1) };
  const [from, to, ...rest] = text.split('/');
  if (from === undefined || to === undefined || rest.length > 0) return undefined;
  const fromMs = Date.parse(from);
  const toMs = Date.parse(to);
  if (Number.isNaN(fromMs) || Number.isNaN(toMs) || fromMs >= toMs) return undefined;
  return { kind: 'absolute', fromUs: fromMs * 1000, toUs: toMs * 1000 };
}

/** The text that `readTimeRange` reads back. Absolute times are kept to the millisecond. */
export function printTimeRange(range: TimeRange): string {
  if (range.kind === 'absolute') return `${isoOf(range.fromUs)}/${isoOf(range.toUs)}`;
  const { seconds } = range;
  for (const unit of ['d', 'h', 'm']) {
    const size = UNIT_SECONDS[unit] ?? 1;
    // A day reads better as 24h; from two days on as days.
    if (seconds % size === 0 && (unit !== 'd' || seconds > size)) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}

/** The interval of the range at `nowUs`. Invalid text means the default range. */
export function windowOf(text: string, nowUs: number): TimeInterval {
  const range = readTimeRange(text) ?? { kind: 'relative', seconds: 3600 };
  if (range.kind === 'absolute') return { fromUs: range.fromUs, toUs: range.toUs };
  // One second ahead, to include documents that are stored while the request is sent.
  return { fromUs: nowUs - range.seconds * 1_000_000, toUs: nowUs + 1_000_000 };
}

/** `Last 15 minutes`, or the two local times. */
export function describeTimeRange(text: string): string {
  const range = readTimeRange(text);
  if (!range) return describeTimeRange(DEFAULT_RANGE);
  if (range.kind === 'absolute') return `${localOf(range.fromUs)} to ${localOf(range.toUs)}`;
  for (const [size, word] of [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
  ] as const) {
    const count = range.seconds / size;
    if (Number.isInteger(count) && (size !== 86_400 || count > 1))
      return count === 1 ? `last ${word}` : `last ${count} ${word}s`;
  }
  return `last ${range.seconds} seconds`;
}

export function nowUs(): number {
  return Date.now() * 1000;
}

function isoOf(us: number): string {
  return new Date(us / 1000).toISOString();
}

function localOf(us: number): string {
  return new Date(us / 1000).toLocaleString();
}
