import { performance } from 'node:perf_hooks';

let offsetMs = performance.timeOrigin;

/**
 * Whole microseconds since 1970. `Date.now()` has only milliseconds, so the monotonic clock is read. That clock stops
 * while the machine sleeps: its offset is set again when the two clocks are more than 50 ms apart.
 */
export function nowUs(): number {
  const monotonicMs = performance.now();
  const wallMs = Date.now();
  if (Math.abs(wallMs - (offsetMs + monotonicMs)) > 50) offsetMs = wallMs - monotonicMs;
  return Math.round((offsetMs + monotonicMs) * 1000);
}
