import { useCollection } from '@cloudscape-design/collection-hooks';
import Link from '@cloudscape-design/components/link';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { type ReactElement, useMemo } from 'react';
import { formatCount, formatDuration, formatRate } from '../../shared/format.ts';
import { percentileUs } from '../../shared/histogram.ts';
import { clientTraffic, type GraphSelection, type ServiceGraph } from '../../shared/map/graph.ts';
import { nodeTypeLabel, shortNodeName } from '../../shared/node-type.ts';
import type { OutcomeCounts } from '../../shared/outcome.ts';
import { OutcomeBar } from '../../shared/outcome-bar.tsx';
import styles from './map-table.module.css';

type Props = {
  readonly graph: ServiceGraph;
  readonly windowMinutes: number;
  readonly selection: GraphSelection | undefined;
  readonly onSelect: (selection: GraphSelection) => void;
};

/** Most calls that a row names; the panel lists all of them. */
const MAX_CALLS = 4;

type Row = {
  readonly key: string;
  readonly name: string;
  readonly type: string;
  readonly rate: number;
  readonly averageUs: number;
  readonly p95Us: number;
  readonly ok: number;
  readonly error: number;
  readonly throttle: number;
  readonly fault: number;
  readonly counts: OutcomeCounts;
  readonly calls: readonly { readonly key: string; readonly name: string }[];
};

/** The service graph as a sortable table, with the numbers of the map. */
export function MapTable({ graph, windowMinutes, selection, onSelect }: Props): ReactElement {
  const rows = useMemo(() => toRows(graph, windowMinutes), [graph, windowMinutes]);
  const { items, collectionProps } = useCollection(rows, {
    sorting: { defaultState: { sortingColumn: { sortingField: 'rate' }, isDescending: true } },
  });
  return (
    <div className={styles.table}>
      <Table
        {...collectionProps}
        variant="borderless"
        stickyHeader
        items={items}
        trackBy="key"
        resizableColumns
        columnDefinitions={columnsFor(onSelect)}
        selectedItems={items.filter((item) => selection?.kind === 'node' && item.key === selection.key)}
        onRowClick={({ detail }) => onSelect({ kind: 'node', key: detail.item.key })}
        ariaLabels={{ tableLabel: 'Services' }}
      />
    </div>
  );
}

function columnsFor(onSelect: Props['onSelect']): TableProps.ColumnDefinition<Row>[] {
  const count = (
    field: 'ok' | 'error' | 'throttle' | 'fault',
    header: string,
    width = 108,
  ): TableProps.ColumnDefinition<Row> => ({
    id: field,
    header,
    sortingField: field,
    width,
    cell: (row) => formatCount(row[field]),
  });
  return [
    {
      id: 'name',
      header: 'Service',
      sortingField: 'name',
      isRowHeader: true,
      width: 245,
      cell: (row) => (
        <Link variant="primary" onFollow={() => onSelect({ kind: 'node', key: row.key })}>
          {row.name}
        </Link>
      ),
    },
    { id: 'type', header: 'Type', sortingField: 'type', width: 150, cell: (row) => row.type },
    { id: 'health', header: 'Health', width: 110, cell: (row) => <OutcomeBar counts={row.counts} /> },
    { id: 'rate', header: 'Rate', sortingField: 'rate', width: 110, cell: (row) => formatRate(row.rate) },
    {
      id: 'average',
      header: 'Average',
      sortingField: 'averageUs',
      width: 115,
      cell: (row) => formatDuration(orNone(row.averageUs)),
    },
    {
      id: 'p95',
      header: '95 %',
      sortingField: 'p95Us',
      width: 100,
      cell: (row) => formatDuration(orNone(row.p95Us)),
    },
    count('ok', 'OK'),
    count('error', 'Errors'),
    count('throttle', 'Throttles', 128),
    count('fault', 'Faults'),
    {
      id: 'calls',
      header: 'Calls',
      width: 260,
      cell: (row) => (
        <span className={styles.calls}>
          {row.calls.slice(0, MAX_CALLS).map(({ key, name }) => (
            <Link key={key} onFollow={() => onSelect({ kind: 'edge', key })}>
              {name}
            </Link>
          ))}
          {row.calls.length > MAX_CALLS && `and ${row.calls.length - MAX_CALLS} more`}
        </span>
      ),
    },
  ];
}

function toRows(graph: ServiceGraph, windowMinutes: number): readonly Row[] {
  const names = new Map(graph.nodes.map((node) => [node.key, shortNodeName(node.name, node.type)]));
  return graph.nodes.map((node) => {
    const { counts, total, averageUs, times } = node.isClient ? clientTraffic(graph, node.key) : node.traffic;
    return {
      key: node.key,
      name: node.isClient ? `Client of ${node.name}` : (names.get(node.key) ?? node.name),
      type: nodeTypeLabel(node.type),
      rate: total / windowMinutes,
      averageUs: averageUs ?? -1,
      p95Us: percentileUs(times, 0.95) ?? -1,
      ...counts,
      counts,
      calls: graph.edges
        .filter((edge) => edge.from === node.key)
        .map((edge) => ({ key: edge.key, name: names.get(edge.to) ?? edge.to })),
    };
  });
}

/** Rows keep -1 for an unknown time, so that it sorts below all known ones. */
function orNone(us: number): number | undefined {
  return us < 0 ? undefined : us;
}
