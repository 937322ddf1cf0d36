import Select, { type SelectProps } from '@cloudscape-design/components/select';
import type { WireTraceSummary } from 'openray/api-types';
import { type ReactElement, useId, useMemo } from 'react';
import { formatCount, formatDuration, formatShare } from '../../shared/format.ts';
import { OutcomeBar } from '../../shared/outcome-bar.tsx';
import { annotationKeys, FIELD_GROUPINGS, groupTraces } from './trace-groupings.ts';
import styles from './trace-overview.module.css';

type Props = {
  readonly traces: readonly WireTraceSummary[];
  readonly grouping: string;
  readonly onGrouping: (grouping: string) => void;
  readonly onAddCondition: (condition: string) => void;
};

/** The loaded traces by group; a click on a group adds its condition to the filter. */
export function TraceOverview({ traces, grouping, onGrouping, onAddCondition }: Props): ReactElement {
  const groups = useMemo(() => groupTraces(traces, grouping), [traces, grouping]);
  const options = useMemo(() => optionsFor(traces), [traces]);
  const labelId = useId();
  const selected = { value: grouping, label: labelOf(grouping) };
  return (
    <section className={styles.card} aria-label="Trace overview">
      <header>
        <h2>Trace overview</h2>
        <div className={styles.by}>
          <span id={labelId}>Group by</span>
          <Select
            selectedOption={selected}
            options={options}
            ariaLabelledby={labelId}
            expandToViewport
            filteringType="auto"
            onChange={({ detail }) => detail.selectedOption.value && onGrouping(detail.selectedOption.value)}
          />
        </div>
      </header>
      <div className={styles.scroll}>
        <table>
          <thead>
            <tr>
              <th scope="col">{labelOf(grouping)}</th>
              <th scope="col">Traces</th>
              <th scope="col">Share</th>
              <th scope="col">Average</th>
              <th scope="col">Health</th>
            </tr>
          </thead>
          <tbody>
            {groups.slice(0, 200).map((group) => (
              <tr key={`${group.filter}${group.label}`}>
                <th scope="row">
                  <button
                    type="button"
                    title={`Add to the filter: ${group.filter}`}
                    onClick={() => onAddCondition(group.filter)}
                  >
                    {group.label}
                  </button>
                </th>
                <td>{formatCount(group.traces)}</td>
                <td>{formatShare(group.traces, traces.length)}</td>
                <td>{formatDuration(group.averageUs)}</td>
                <td className={styles.health}>
                  <OutcomeBar counts={group.counts} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {groups.length === 0 && <p>None of these traces has a value.</p>}
        {groups.length > 200 && <p>{formatCount(groups.length - 200)} more, each with fewer traces, are not shown.</p>}
      </div>
    </section>
  );
}

function labelOf(grouping: string): string {
  return FIELD_GROUPINGS.find(({ id }) => id === grouping)?.label ?? grouping;
}

function optionsFor(traces: readonly WireTraceSummary[]): SelectProps.Options {
  const keys = annotationKeys(traces);
  return [
    ...FIELD_GROUPINGS.map(({ id, label }) => ({ value: id, label })),
    ...(keys.length === 0
      ? []
      : [
          {
            label: 'Annotations',
            options: keys.map((key) => ({ value: `annotation.${key}`, label: `annotation.${key}` })),
          },
        ]),
  ];
}
