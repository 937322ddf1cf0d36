/** `412 µs`, `38.2 ms`, `1.03 s`, `2 m 05 s`, `3 h 10 m`; three significant digits below a minute. */
export function formatDuration(us: number | undefined | null): string {
  if (us === undefined || us === null || !Number.isFinite(us)) return '–';
  if (us < 0) return `-${formatDuration(-us)}`;
  if (us < 999.5) return `${Math.round(us)} µs`;
  if (us < 999_500) return `${threeDigits(us / 1000)} ms`;
  if (us < 59_950_000) return `${threeDigits(us / 1_000_000)} s`;
  const seconds = Math.round(us / 1_000_000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${pad(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} m`;
}

/** All digits: `38,240`. Without the browser's formatter: its first use takes 50 ms and more. */
export function formatExact(whole: number): string {
  return String(whole).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `7`, `1,204`, `38.2k`, `1.2M`. */
export function formatCount(count: number): string {
  if (count < 10_000) return formatExact(count);
  if (count < 999_500) return `${threeDigits(count / 1000)}k`;
  return `${threeDigits(count / 1_000_000)}M`;
}

/** `812 B`, `38.2 kB`, `1.2 GB`: a kB is 1,000 bytes. */
export function formatBytes(bytes: number): string {
  if (bytes < 999.5) return `${Math.round(bytes)} B`;
  let value = bytes;
  for (const unit of ['kB', 'MB', 'GB']) {
    value /= 1000;
    if (value < 999.5) return `${threeDigits(value)} ${unit}`;
  }
  return `${threeDigits(value / 1000)} TB`;
}

/** `0/s`, `0.4/s`, `12.3k/s`. */
export function formatPerSecond(rate: number | undefined): string {
  if (rate === undefined) return '–';
  if (rate === 0) return '0/s';
  if (rate < 0.05) return '<0.1/s';
  return `${rate < 10 ? Number(rate.toFixed(1)) : formatCount(Math.round(rate))}/s`;
}

/** Requests per minute: `0.2/min`, `38/min`. */
export function formatRate(perMinute: number): string {
  if (perMinute === 0) return '0/min';
  if (perMinute < 0.01) return '<0.01/min';
  return `${perMinute < 1 ? Number(perMinute.toPrecision(1)) : perMinute < 10 ? Number(perMinute.toPrecision(2)) : formatCount(Math.round(perMinute))}/min`;
}

/** `12.5 %`; a share above none is never shown as 0 %, one below all never as 100 %. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (100 * part) / whole;
  if (percent > 0 && percent < 0.1) return '<0.1 %';
  if (percent < 100 && percent > 99.9) return '>99.9 %';
  return `${percent < 10 ? Number(percent.toFixed(1)) : Math.round(percent)} %`;
}

/** Local date and time to the millisecond: `2026-03-07 14:05:09.123`. */
export function formatTime(us: number): string {
  const at = new Date(us / 1000);
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${day} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

function threeDigits(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
