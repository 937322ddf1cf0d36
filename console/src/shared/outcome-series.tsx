import { OUTCOMES } from 'openray/model';
import type { ReactElement } from 'react';
import { formatCount, formatTime } from './format.ts';
import { type OutcomeCounts, totalOf } from './outcome.ts';
import styles from './outcome-series.module.css';

/** Requests that ended in the interval before `endUs`. */
export type SeriesPoint = { readonly endUs: number; readonly counts: OutcomeCounts };

const HEIGHT = 72;

/** Requests over time, oldest left, stacked by outcome. */
export function OutcomeSeries({
  points,
  label,
}: {
  readonly points: readonly SeriesPoint[];
  readonly label: string;
}): ReactElement {
  const highest = Math.max(1, ...points.map(({ counts }) => totalOf(counts)));
  const first = points[0];
  const last = points.at(-1);
  return (
    <figure className={styles.series}>
      <svg
        viewBox={`0 0 ${Math.max(1, points.length)} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}; at most ${formatCount(highest)} in one interval`}
      >
        {points.map(({ endUs, counts }, index) => {
          let y = HEIGHT;
          return (
            <g key={endUs}>
              <title>{`${formatTime(endUs)}: ${formatCount(totalOf(counts))} requests, ${counts.fault} faults, ${counts.error} errors, ${counts.throttle} throttles`}</title>
              <rect x={index} width={1} y={0} height={HEIGHT} fill="transparent" />
              {OUTCOMES.filter((outcome) => counts[outcome] > 0).map((outcome) => {
                const height = (counts[outcome] / highest) * (HEIGHT - 2);
                y -= height;
                return (
                  <rect key={outcome} x={index + 0.1} width={0.8} y={y} height={height} fill={`var(--${outcome})`} />
                );
              })}
            </g>
          );
        })}
      </svg>
      <figcaption>
        <span>{first && formatTime(first.endUs).slice(0, 16)}</span>
        <span>up to {formatCount(highest)}</span>
        <span>{last && formatTime(last.endUs).slice(11, 16)}</span>
      </figcaption>
    </figure>
  );
}
