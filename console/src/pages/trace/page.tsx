import Button from '@cloudscape-design/components/button';
import Spinner from '@cloudscape-design/components/spinner';
import { getRouteApi, Link } from '@tanstack/react-router';
import { calledService, nodeKey, serviceOf, serviceOfKey } from 'openray/model';
import { type ReactElement, useState } from 'react';
import { ApiFailure } from '../../shared/api.ts';
import { FailureAlert } from '../../shared/failure-alert.tsx';
import type { GraphSelection, ServiceGraph } from '../../shared/map/graph.ts';
import { MapView } from '../../shared/map/map-view.tsx';
import { MissingDataNotice } from '../../shared/missing-data-notice.tsx';
import { ClockSkewNotice } from './clock-skew-notice.tsx';
import type { Entity, TraceTree } from './entities.ts';
import { EntityPanel } from './entity-panel.tsx';
import { MorePartsNotice } from './more-parts-notice.tsx';
import styles from './page.module.css';
import { RootCauses } from './root-causes.tsx';
import { TraceHeader } from './trace-header.tsx';
import { PARTS_AT_ONCE } from './trace-parts.ts';
import { useTrace, useTraceGraph, useTraceSummary } from './use-trace.ts';
import { Waterfall } from './waterfall.tsx';

const route = getRouteApi('/traces/$id');

/** One trace: its map, its timeline, and the details of the selected entity. */
export function TracePage(): ReactElement {
  const { id } = route.useParams();
  const { entity: selectedId, map: isMapShown } = route.useSearch();
  const navigate = route.useNavigate();
  const [parts, setParts] = useState(PARTS_AT_ONCE);
  const { data, error, refetch, isPlaceholderData } = useTrace(id, parts);
  const tree = data?.tree;
  const { data: summary } = useTraceSummary(id, tree !== undefined && tree.byId.size > 0);
  const select = (entity: string | undefined) =>
    void navigate({ search: (before) => ({ ...before, entity }), replace: true });

  if (error instanceof ApiFailure && error.code === 'TraceNotFound')
    return <TraceNotFound id={id} onRetry={() => void refetch()} />;
  if (error && !tree) {
    return (
      <div className={styles.notice}>
        <FailureAlert error={error} onRetry={() => void refetch()} />
      </div>
    );
  }
  if (!data || !tree) {
    return (
      <div className={styles.notice}>
        <Spinner size="large" /> Loading the trace
      </div>
    );
  }
  const selected = selectedId === undefined ? undefined : tree.byId.get(selectedId);
  return (
    <div className={styles.page}>
      <TraceHeader
        tree={tree}
        summary={summary}
        isMapShown={isMapShown}
        onToggleMap={() => void navigate({ search: (before) => ({ ...before, map: !isMapShown }), replace: true })}
      />
      <MissingDataNotice missing={data.missing} />
      {data.hasMore && (
        <MorePartsNotice
          shownCount={tree.byId.size}
          isLoading={isPlaceholderData}
          onMore={() => setParts(parts + PARTS_AT_ONCE)}
        />
      )}
      <ClockSkewNotice notices={data.clockSkews} onSelect={select} />
      {summary && <RootCauses summary={summary} />}
      {isMapShown && <TraceMap id={id} tree={tree} selected={selected} onSelect={select} />}
      <div className={styles.detail}>
        <Waterfall tree={tree} selectedId={selected?.id} onSelect={select} />
        {selected && (
          <EntityPanel
            key={selected.id}
            tree={tree}
            entity={selected}
            onClose={() => select(undefined)}
            onSelect={select}
          />
        )}
      </div>
    </div>
  );
}

/** The map of the trace; a selected service selects its first segment, or the first call to it. */
function TraceMap({
  id,
  tree,
  selected,
  onSelect,
}: {
  readonly id: string;
  readonly tree: TraceTree;
  readonly selected: Entity | undefined;
  readonly onSelect: (entity: string | undefined) => void;
}): ReactElement {
  const { data, error } = useTraceGraph(id, tree.byId.size > 0);
  const selection: GraphSelection | undefined = selected?.segment && {
    kind: 'node',
    key: nodeKey(serviceOf(selected.segment)),
  };
  const choose = (next: GraphSelection | undefined) => {
    if (next && data) onSelect(entityOn(data, next, tree)?.id);
  };
  return (
    <section className={styles.map} aria-label="Trace map">
      {error && <p>{error.message}</p>}
      {data && <MapView graph={data} selection={selection} onSelect={choose} />}
    </section>
  );
}

/** The first segment of a node, or of the node that an edge leads to; else the first call to it. */
function entityOn(graph: ServiceGraph, { kind, key }: GraphSelection, tree: TraceTree): Entity | undefined {
  const node = kind === 'node' ? key : graph.edges.find((edge) => edge.key === key)?.to;
  if (node === undefined) return undefined;
  const entities = [...tree.byId.values()];
  const inferred = entities.filter(({ inferredType }) => inferredType !== undefined);
  const { type } = serviceOfKey(node);
  return (
    entities.find((entity) => entity.kind === 'segment' && nodeKey(serviceOf(entity)) === node) ??
    inferred.find((call) => nodeKey(calledService(call)) === node) ??
    // A span may name the service that it called; its X-Ray document has no member for this name.
    inferred.find(({ inferredType }) => inferredType === type) ??
    tree.roots[0]
  );
}

function TraceNotFound({ id, onRetry }: { readonly id: string; readonly onRetry: () => void }): ReactElement {
  return (
    <div className={styles.missing}>
      <title>Trace not found · openray</title>
      <h1>Trace not found</h1>
      <p>
        No document of <code>{id}</code> was received. The page opens the trace when its first document arrives. If none
        arrives, the request was not sampled (its trace header must have <code>Sampled=1</code>), its trace was sent to
        another server, or it is older than the retention of this server. <Link to="/server">Server</Link> has the
        counters of received documents, and the reasons why documents were not stored.
      </p>
      <Button onClick={onRetry}>Try again</Button>
    </div>
  );
}
