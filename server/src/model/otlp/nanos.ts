/** Nanoseconds since 1970, as OTLP writes them, to the nearest whole microsecond; undefined for none. */
export function nanosToUs(nanos: string | undefined): number | undefined {
  if (nanos === undefined) return undefined;
  const us = Number(nanos.slice(0, -3) || '0');
  // A double can not hold the whole number, so the last three digits round by themselves.
  return nanos.charCodeAt(nanos.length - 3) >= 53 ? us + 1 : us;
}

export function usToNanos(us: number): string {
  return us === 0 ? '0' : `${us}000`;
}
