import SegmentedControl from '@cloudscape-design/components/segmented-control';
import Select from '@cloudscape-design/components/select';
import Spinner from '@cloudscape-design/components/spinner';
import { getRouteApi } from '@tanstack/react-router';
import { OUTCOMES } from 'openray/model';
import { type ReactElement, useMemo } from 'react';
import { FailureAlert } from '../../shared/failure-alert.tsx';
import { FilterBox } from '../../shared/filter-box.tsx';
import { GroupSelect } from '../../shared/group-select.tsx';
import type { GraphSelection, ServiceGraph } from '../../shared/map/graph.ts';
import { MapView } from '../../shared/map/map-view.tsx';
import { MissingDataNotice } from '../../shared/missing-data-notice.tsx';
import { NoTraces } from '../../shared/no-traces.tsx';
import { nodeTypeLabel, shortNodeName } from '../../shared/node-type.ts';
import { OUTCOME_LABEL } from '../../shared/outcome.ts';
import { TimeRangePicker } from '../../shared/time-range-picker.tsx';
import { useServiceGraph } from '../../shared/use-service-graph.ts';
import { MapTable } from './map-table.tsx';
import styles from './page.module.css';
import { SelectionPanel } from './selection-panel.tsx';

const route = getRouteApi('/service-map');

/** The services of a time range, the calls between them, and their health. */
export function ServiceMapPage(): ReactElement {
  const { range, q, inGroup, view, node, edge } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, isPending, isFetching, refetch } = useServiceGraph(range, q, inGroup);
  const selection = useMemo<GraphSelection | undefined>(
    () =>
      node !== undefined ? { kind: 'node', key: node } : edge !== undefined ? { kind: 'edge', key: edge } : undefined,
    [node, edge],
  );
  const select = (next: GraphSelection | undefined) =>
    void navigate({
      search: (before) => ({
        ...before,
        node: next?.kind === 'node' ? next.key : undefined,
        edge: next?.kind === 'edge' ? next.key : undefined,
      }),
      replace: selection !== undefined && next !== undefined,
    });
  const isEmpty = data !== undefined && data.graph.nodes.length === 0;
  const windowMinutes = data && (data.window.toUs - data.window.fromUs) / 60_000_000;

  return (
    <div className={styles.page}>
      <title>Service map · openray</title>
      <h1 className="visually-hidden">Service map</h1>
      <div className={styles.tools}>
        <FilterBox
          filter={q}
          range={range}
          placeholder="Only traces that match, such as: service(&quot;checkout&quot;) { fault }"
          onApply={(next) => void navigate({ search: (before) => ({ ...before, q: next }) })}
        />
        <GroupSelect />
        <ServiceFinder graph={data?.graph} onSelect={select} />
        <SegmentedControl
          label="View"
          selectedId={view}
          options={[
            { id: 'map', text: 'Map' },
            { id: 'table', text: 'Table' },
          ]}
          onChange={({ detail }) =>
            void navigate({
              search: (before) => ({ ...before, view: detail.selectedId === 'table' ? 'table' : 'map' }),
            })
          }
        />
        <TimeRangePicker />
      </div>
      <div className={styles.content}>
        <div className={styles.main} aria-busy={isFetching}>
          <MissingDataNotice missing={data?.missing} />
          {error && (
            <div className={styles.notice}>
              <FailureAlert error={error} onRetry={() => void refetch()} />
            </div>
          )}
          {isPending && (
            <div className={styles.notice}>
              <Spinner size="large" /> Loading the map
            </div>
          )}
          {isEmpty && !error && (
            <NoTraces
              range={range}
              filter={q || inGroup}
              onWiden={() => void navigate({ search: (before) => ({ ...before, range: '7d' }) })}
              onClearFilter={() => void navigate({ search: (before) => ({ ...before, q: '', inGroup: '' }) })}
            />
          )}
          {data && !isEmpty && view === 'map' && (
            <MapView
              graph={data.graph}
              selection={selection}
              onSelect={select}
              legend={<Legend graph={data.graph} />}
              {...(windowMinutes === undefined ? {} : { windowMinutes })}
            />
          )}
          {data && !isEmpty && view === 'table' && (
            <MapTable graph={data.graph} windowMinutes={windowMinutes ?? 1} selection={selection} onSelect={select} />
          )}
        </div>
        {data && selection && !isEmpty && (
          <SelectionPanel
            key={selection.key}
            graph={data.graph}
            window={data.window}
            range={range}
            filter={q}
            selection={selection}
            onClose={() => select(undefined)}
            onSelect={select}
          />
        )}
      </div>
    </div>
  );
}

/** Selects a service by name, for large maps. */
function ServiceFinder({
  graph,
  onSelect,
}: {
  readonly graph: ServiceGraph | undefined;
  readonly onSelect: (selection: GraphSelection) => void;
}): ReactElement {
  const options = useMemo(
    () =>
      (graph?.nodes ?? [])
        .filter((node) => !node.isClient)
        .map((node) => ({
          value: node.key,
          label: shortNodeName(node.name, node.type),
          tags: [nodeTypeLabel(node.type)],
        })),
    [graph],
  );
  return (
    <div className={styles.finder}>
      <Select
        selectedOption={null}
        options={options}
        filteringType="auto"
        virtualScroll
        placeholder="Find a service"
        ariaLabel="Find a service"
        empty="No services"
        onChange={({ detail }) =>
          detail.selectedOption.value && onSelect({ kind: 'node', key: detail.selectedOption.value })
        }
      />
    </div>
  );
}

function Legend({ graph }: { readonly graph: ServiceGraph }): ReactElement {
  const services = graph.nodes.filter((node) => !node.isClient).length;
  return (
    <div className={styles.legend}>
      {OUTCOMES.map((outcome) => (
        <span key={outcome}>
          <i style={{ background: `var(--${outcome})` }} />
          {OUTCOME_LABEL[outcome]}
        </span>
      ))}
      <span>
        {services} {services === 1 ? 'service' : 'services'}, {graph.edges.length}{' '}
        {graph.edges.length === 1 ? 'edge' : 'edges'}
      </span>
    </div>
  );
}
