import { performance } from 'node:perf_hooks';

let offsetMs = performance.timeOrigin;

/**
 * Microseconds since 1970, whole. `Date.now()` has only milliseconds, and the steady clock stands still while a
 * machine sleeps: so the steady one counts, and is set anew when the two are more than 50 ms apart.
 */
export function nowUs(): number {
  const steadyMs = performance.now();
  const wallMs = Date.now();
  if (Math.abs(wallMs - (offsetMs + steadyMs)) > 50) offsetMs = wallMs - steadyMs;
  return Math.round((offsetMs + steadyMs) * 1000);
}
