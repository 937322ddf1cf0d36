import type { WireTraceSummary } from 'openray/api-types';
import { type ReactElement, useMemo, useState } from 'react';
import { bandCondition, type DurationBand } from '../../shared/filter-text.ts';
import { formatCount, formatDuration } from '../../shared/format.ts';
import { percentileUs } from '../../shared/histogram.ts';
import { HistogramChart } from '../../shared/histogram-chart.tsx';
import styles from './distribution.module.css';

type Props = {
  readonly traces: readonly WireTraceSummary[];
  readonly isComplete: boolean;
  readonly onAddCondition: (condition: string) => void;
};

/** Response times of the loaded traces; a selected band can become a condition of the filter. */
export function Distribution({ traces, isComplete, onAddCondition }: Props): ReactElement {
  const [band, setBand] = useState<DurationBand>();
  const times = useMemo(
    () =>
      traces.flatMap(({ ResponseTime }) => (ResponseTime === null ? [] : [{ us: ResponseTime * 1_000_000, count: 1 }])),
    [traces],
  );
  return (
    <section className={styles.card} aria-label="Response time distribution">
      <header>
        <h2>Response time distribution</h2>
        <span>
          {isComplete ? '' : 'newest '}
          {formatCount(traces.length)} {traces.length === 1 ? 'trace' : 'traces'}
        </span>
      </header>
      <HistogramChart times={times} label="Response times of the traces" height={140} band={band} onBand={setBand} />
      <footer>
        {([0.5, 0.9, 0.95, 0.99] as const).map((share) => (
          <span key={share}>
            p{share * 100} <b>{formatDuration(percentileUs(times, share))}</b>
          </span>
        ))}
        {band && (
          <button type="button" onClick={() => onAddCondition(bandCondition(band))}>
            Add to the filter
          </button>
        )}
      </footer>
    </section>
  );
}
