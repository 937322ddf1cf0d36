import Button from '@cloudscape-design/components/button';
import { Link, useSearch } from '@tanstack/react-router';
import type { Outcome, TimeInterval } from 'openray/model';
import { type ReactElement, useState } from 'react';
import {
  bandCondition,
  bothFilters,
  type DurationBand,
  outcomeCondition,
  withConditions,
} from '../../shared/filter-text.ts';
import { formatCount, formatDuration, formatRate } from '../../shared/format.ts';
import { percentileUs } from '../../shared/histogram.ts';
import { HistogramChart } from '../../shared/histogram-chart.tsx';
import { latencyText } from '../../shared/map/describe.ts';
import { Glyph } from '../../shared/map/glyph.tsx';
import type { GraphSelection, ServiceGraph } from '../../shared/map/graph.ts';
import { nodeGlyph } from '../../shared/node-type.ts';
import { OutcomeTable } from '../../shared/outcome-bar.tsx';
import { OutcomeSeries } from '../../shared/outcome-series.tsx';
import { detailsOf, type SelectionDetails } from './selected.ts';
import styles from './selection-panel.module.css';
import { useSeries } from './use-series.ts';

type Props = {
  readonly graph: ServiceGraph;
  readonly window: TimeInterval;
  readonly range: string;
  readonly filter: string;
  readonly selection: GraphSelection;
  readonly onClose: () => void;
  readonly onSelect: (selection: GraphSelection) => void;
};

/** Statistics of the selected node or edge, and links to its traces. */
export function SelectionPanel({ graph, selection, onClose, ...rest }: Props): ReactElement {
  const selected = detailsOf(graph, selection);
  return (
    <aside className={styles.panel} aria-label="Details of the selection">
      <header>
        {selected && <Glyph glyph={nodeGlyph(selected.type)} size={20} />}
        <div>
          <h2>{selected?.title ?? 'Not on this map'}</h2>
          <p>{selected?.subtitle ?? 'The selection has no requests in this time range.'}</p>
        </div>
        <Button variant="icon" iconName="close" ariaLabel="Close the details" onClick={onClose} />
      </header>
      {selected && <Details selected={selected} {...rest} />}
    </aside>
  );
}

function Details({
  selected,
  window,
  range,
  filter,
  onSelect,
}: Omit<Props, 'graph' | 'selection' | 'onClose'> & { readonly selected: SelectionDetails }): ReactElement {
  const { inGroup } = useSearch({ from: '__root__' });
  const [band, setBand] = useState<DurationBand>();
  const series = useSeries(range, selected.selector, inGroup);
  const { traffic, neighbours, isLink } = selected;
  const minutes = (window.toUs - window.fromUs) / 60_000_000;
  const filterFor = (outcomes: readonly Outcome[]) =>
    bothFilters(
      filter,
      withConditions(selected.selector, [outcomeCondition(outcomes), band ? bandCondition(band) : '']),
    );
  const bad = (['fault', 'error', 'throttle'] as const).filter((outcome) => traffic.counts[outcome] > 0);

  return (
    <div className={styles.body}>
      <dl className={styles.figures}>
        <Figure label={isLink ? 'Messages' : 'Requests'} value={formatCount(traffic.total)} />
        <Figure label="Rate" value={formatRate(traffic.total / minutes)} />
        <Figure label={isLink ? 'Average age' : 'Average'} value={latencyText(traffic)} />
        <Figure label="50 %" value={formatDuration(percentileUs(traffic.times, 0.5))} />
        <Figure label="95 %" value={formatDuration(percentileUs(traffic.times, 0.95))} />
        <Figure label="99 %" value={formatDuration(percentileUs(traffic.times, 0.99))} />
      </dl>
      <div className={styles.actions}>
        <TracesLink filter={filterFor([])} isMain>
          {isLink ? 'View traces of the consumer' : band ? 'View traces of the selected times' : 'View traces'}
        </TracesLink>
        {bad.length > 0 && <TracesLink filter={filterFor(bad)}>View errors</TracesLink>}
      </div>
      {!isLink && (
        <section>
          <h3>Outcomes</h3>
          <OutcomeTable counts={traffic.counts} />
          <div className={styles.links}>
            {bad.map((outcome) => (
              <TracesLink key={outcome} filter={filterFor([outcome])}>
                Traces with {outcome}s
              </TracesLink>
            ))}
          </div>
        </section>
      )}
      <section>
        <h3>{isLink ? 'Age of messages when they were received' : 'Response time distribution'}</h3>
        <HistogramChart
          times={traffic.times}
          label={`${isLink ? 'Ages of messages' : 'Response times'} of ${selected.title}`}
          band={band}
          onBand={isLink ? () => undefined : setBand}
        />
      </section>
      {!isLink && (
        <section>
          <h3>Requests over time</h3>
          {series.data ? (
            <OutcomeSeries points={series.data} label={`Requests of ${selected.title} over time`} />
          ) : (
            <p>{series.error?.message ?? 'Loading'}</p>
          )}
        </section>
      )}
      {neighbours.length > 0 && (
        <section>
          <h3>Connections</h3>
          <ul className={styles.neighbours}>
            {neighbours.map(({ selection, text, traffic: calls }) => (
              <li key={`${selection.kind} ${selection.key}`}>
                <button type="button" onClick={() => onSelect(selection)}>
                  {text}
                </button>
                {calls && (
                  <span>
                    {formatDuration(calls.averageUs)} · {formatRate(calls.total / minutes)}
                  </span>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function Figure({ label, value }: { readonly label: string; readonly value: string }): ReactElement {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function TracesLink({
  filter,
  isMain = false,
  children,
}: {
  readonly filter: string;
  readonly isMain?: boolean;
  readonly children: string | readonly string[];
}): ReactElement {
  return (
    <Link
      to="/traces"
      search={(before) => ({ range: before.range, live: before.live, q: filter })}
      className={isMain ? styles.main : styles.link}
    >
      {children}
    </Link>
  );
}
