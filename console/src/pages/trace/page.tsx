import Button from '@cloudscape-design/components/button';
import Spinner from '@cloudscape-design/components/spinner';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { ApiFailure } from '../../shared/api.ts';
import { FailureAlert } from '../../shared/failure-alert.tsx';
import { type GraphSelection, nodeKey } from '../../shared/map/graph.ts';
import { MapView } from '../../shared/map/map-view.tsx';
import { MissingDataNotice } from '../../shared/missing-data-notice.tsx';
import type { Entity, TraceTree } from './entities.ts';
import { EntityPanel } from './entity-panel.tsx';
import styles from './page.module.css';
import { RootCauses } from './root-causes.tsx';
import { TraceHeader } from './trace-header.tsx';
import { useTrace, useTraceGraph, useTraceSummary } from './use-trace.ts';
import { Waterfall } from './waterfall.tsx';

const route = getRouteApi('/traces/$id');

/** One trace: its services, its timeline, and everything about the selected part of it. */
export function TracePage(): ReactElement {
  const { id } = route.useParams();
  const { entity: selectedId, map: isMapShown } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch } = useTrace(id);
  const tree = data?.tree;
  const { data: summary } = useTraceSummary(tree);
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
        summary={summary ?? undefined}
        isMapShown={isMapShown}
        onToggleMap={() => void navigate({ search: (before) => ({ ...before, map: !isMapShown }), replace: true })}
      />
      <MissingDataNotice gaps={data.missing} />
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

/** The services of the trace; choosing one selects its first segment, or the first call to it. */
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
    key: nodeKey(selected.segment.name, selected.segment.origin),
  };
  const choose = (next: GraphSelection | undefined) => {
    if (!next) return;
    const key = next.kind === 'node' ? next.key : next.key.slice(next.key.indexOf('→') + 1);
    const entities = [...tree.byId.values()];
    const found =
      entities.find((entity) => entity.kind === 'segment' && nodeKey(entity.name, entity.origin) === key) ??
      entities.find(
        (entity) => entity.inferredType !== undefined && nodeKey(entity.name, entity.inferredType) === key,
      ) ??
      entities.find((entity) => entity.inferredType !== undefined && key.startsWith(`${entity.inferredType}|`)) ??
      tree.roots[0];
    onSelect(found?.id);
  };
  return (
    <section className={styles.map} aria-label="Trace map">
      {error && <p>{error.message}</p>}
      {data && <MapView graph={data} selection={selection} onSelect={choose} />}
    </section>
  );
}

function TraceNotFound({ id, onRetry }: { readonly id: string; readonly onRetry: () => void }): ReactElement {
  return (
    <div className={styles.missing}>
      <title>No such trace · openray</title>
      <h1>This trace is not here</h1>
      <p>
        Nothing was received of <code>{id}</code>. It may still be on its way: the page opens it as soon as it arrives.
        Otherwise the request was not sampled (look for <code>Sampled=1</code> in its trace header), was sent to another
        server, or is older than what this one keeps. <Link to="/server">Server</Link> counts what came in, and says why
        something was not stored.
      </p>
      <Button onClick={onRetry}>Look again</Button>
    </div>
  );
}
