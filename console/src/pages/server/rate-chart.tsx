import type { ReactElement } from 'react';
import { formatPerSecond, formatTime } from '../../shared/format.ts';
import styles from './rate-chart.module.css';
import type { RatePoint } from './samples.ts';

const HEIGHT = 120;
/** Columns for five minutes, so that bars keep their width while the chart fills from the right. */
const COLUMNS = 150;

/** Rates of stored and lost documents since the page was opened, at most five minutes. */
export function RateChart({ points }: { readonly points: readonly RatePoint[] }): ReactElement {
  const highest = Math.max(1, ...points.map(({ stored, lost }) => stored + lost));
  const last = points.at(-1);
  const heightOf = (rate: number) => (rate / highest) * (HEIGHT - 2);
  return (
    <figure className={styles.chart}>
      <svg
        viewBox={`0 0 ${COLUMNS} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Documents per second: now ${formatPerSecond(last?.stored)} stored and ${formatPerSecond(last?.lost)} lost, at most ${formatPerSecond(highest)}`}
      >
        {points.map(({ endUs, stored, lost }, index) => (
          <g key={endUs} transform={`translate(${COLUMNS - points.length + index})`}>
            <title>{`${formatTime(endUs).slice(11, 19)}: ${formatPerSecond(stored)} stored, ${formatPerSecond(lost)} lost`}</title>
            <rect width={1} height={HEIGHT} fill="transparent" />
            <rect x={0.1} width={0.8} y={HEIGHT - heightOf(stored)} height={heightOf(stored)} fill="var(--ok)" />
            <rect
              x={0.1}
              width={0.8}
              y={HEIGHT - heightOf(stored + lost)}
              height={heightOf(lost)}
              fill="var(--fault)"
            />
          </g>
        ))}
      </svg>
      <figcaption>
        <span>5 minutes ago</span>
        <span>
          <i style={{ background: 'var(--ok)' }} /> stored {formatPerSecond(last?.stored)}
        </span>
        <span>
          <i style={{ background: 'var(--fault)' }} /> rejected and dropped {formatPerSecond(last?.lost)}
        </span>
        <span>up to {formatPerSecond(highest)}</span>
      </figcaption>
    </figure>
  );
}
