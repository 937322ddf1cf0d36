import type { ReactElement } from 'react';
import { type OutcomeCounts, ringArcs } from '../outcome.ts';

/** A ring whose arcs are the shares of ok, error, throttle and fault; grey without requests. */
export function HealthRing({ counts, size }: { readonly counts: OutcomeCounts; readonly size: number }): ReactElement {
  const width = Math.max(3, size / 13);
  const radius = (size - width) / 2;
  const around = 2 * Math.PI * radius;
  return (
    <svg width={size} height={size} viewBox={`0 0 ${size} ${size}`} aria-hidden="true">
      <g transform={`rotate(-90 ${size / 2} ${size / 2})`} fill="none" strokeWidth={width}>
        <circle cx={size / 2} cy={size / 2} r={radius} stroke="var(--border)" />
        {ringArcs(counts).map(({ outcome, from, to }) => (
          <circle
            key={outcome}
            cx={size / 2}
            cy={size / 2}
            r={radius}
            stroke={`var(--${outcome})`}
            strokeDasharray={`${(to - from) * around} ${around}`}
            strokeDashoffset={-from * around}
          />
        ))}
      </g>
    </svg>
  );
}
