/** Nanoseconds since 1970, in OTLP's form, rounded to microseconds. */
export function nanosToUs(nanos: string | undefined): number | undefined {
  if (nanos === undefined) return undefined;
  const us = Number(nanos.slice(0, -3) || '0');
  // A double cannot hold all digits, so the last three are rounded separately.
  return nanos.charCodeAt(nanos.length - 3) >= 53 ? us + 1 : us;
}

export function usToNanos(us: number): string {
  return us === 0 ? '0' : `${us}000`;
}
