import type { TableProps } from '@cloudscape-design/components/table';
import { Link } from '@tanstack/react-router';
import type { WireTraceSummary } from 'openray/api-types';
import type { ReactElement } from 'react';
import { formatDuration, formatTime } from '../../shared/format.ts';
import { nodeTypeLabel, shortNodeName } from '../../shared/node-type.ts';
import { outcomeNote } from '../../shared/outcome.ts';
import { OutcomePill } from '../../shared/outcome-pill.tsx';
import styles from './trace-columns.module.css';
import { annotationText, rootOutcome } from './trace-groupings.ts';

/** Columns of the list of traces; a row is a summary. */
export const COLUMNS: TableProps.ColumnDefinition<WireTraceSummary>[] = [
  {
    id: 'id',
    header: 'Trace id',
    isRowHeader: true,
    width: 305,
    cell: ({ Id }) => (
      <Link to="/traces/$id" params={{ id: Id }} className={styles.id}>
        {Id}
      </Link>
    ),
  },
  { id: 'start', header: 'Start', width: 205, cell: ({ StartTime }) => formatTime(StartTime * 1_000_000) },
  { id: 'outcome', header: 'Outcome', width: 150, cell: (trace) => <TraceOutcome trace={trace} /> },
  {
    id: 'response',
    header: 'Response time',
    width: 135,
    cell: ({ ResponseTime }) => (ResponseTime === null ? 'in progress' : formatDuration(ResponseTime * 1_000_000)),
  },
  {
    id: 'duration',
    header: 'Duration',
    width: 110,
    cell: ({ Duration }) => (Duration === null ? 'in progress' : formatDuration(Duration * 1_000_000)),
  },
  {
    id: 'entry',
    header: 'Entry point',
    width: 190,
    cell: ({ EntryPoint }) =>
      EntryPoint ? (
        <span title={nodeTypeLabel(EntryPoint.Type)}>{shortNodeName(EntryPoint.Name, EntryPoint.Type)}</span>
      ) : (
        '–'
      ),
  },
  { id: 'method', header: 'Method', width: 95, cell: ({ Http }) => Http.HttpMethod ?? '–' },
  { id: 'status', header: 'Status', width: 80, cell: ({ Http }) => Http.HttpStatus ?? '–' },
  {
    id: 'url',
    header: 'URL',
    width: 240,
    cell: ({ Http }) => <span title={Http.HttpURL ?? ''}>{Http.HttpURL ?? '–'}</span>,
  },
  {
    id: 'user',
    header: 'Users',
    width: 110,
    cell: ({ Users }) => Users.map(({ UserName }) => UserName).join(', ') || '–',
  },
  {
    id: 'annotations',
    header: 'Annotations',
    width: 120,
    cell: ({ Annotations }) => (
      <span title={annotationsText(Annotations)}>{Object.keys(Annotations).length || '–'}</span>
    ),
  },
  {
    id: 'segments',
    header: 'Segments',
    width: 100,
    cell: ({ SegmentCount, SubsegmentCount }) => (
      <span title={`${SegmentCount} segments, ${SubsegmentCount} subsegments`}>
        {SegmentCount} + {SubsegmentCount}
      </span>
    ),
  },
];

function TraceOutcome({ trace }: { readonly trace: WireTraceSummary }): ReactElement {
  const { WorstOutcome: worst, IsPartial } = trace;
  const notes = [outcomeNote(worst, rootOutcome(trace)), IsPartial ? 'partial' : undefined];
  return <OutcomePill outcome={worst} note={notes.filter((note) => note !== undefined).join(', ')} />;
}

function annotationsText(annotations: WireTraceSummary['Annotations']): string {
  return Object.entries(annotations)
    .map(
      ([key, values]) => `${key} = ${values.map(({ AnnotationValue }) => annotationText(AnnotationValue)).join(', ')}`,
    )
    .join('\n');
}
