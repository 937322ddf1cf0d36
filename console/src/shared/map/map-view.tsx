import '@xyflow/react/dist/base.css';
import {
  Background,
  type EdgeChange,
  MarkerType,
  type NodeChange,
  Panel,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
} from '@xyflow/react';
import { type ReactElement, type ReactNode, useMemo } from 'react';
import { useIsDark } from '../theme.ts';
import { describeEdge, describeNode } from './describe.ts';
import { type GraphSelection, neighbourhood, type ServiceGraph } from './graph.ts';
import { NODE_HEIGHT, NODE_WIDTH } from './layout.ts';
import { type CallEdge, MapEdgeView } from './map-edge.tsx';
import { MapNodeView, type ServiceNode } from './map-node.tsx';
import styles from './map-view.module.css';
import { type Layout, useLayout } from './use-layout.ts';
import { useMapCamera } from './use-map-camera.ts';

type Props = {
  readonly graph: ServiceGraph;
  /** Length of the time interval, for rates; without it the map shows counts. */
  readonly windowMinutes?: number;
  readonly selection: GraphSelection | undefined;
  readonly onSelect: (selection: GraphSelection | undefined) => void;
  /** Shown over the upper left corner. */
  readonly legend?: ReactNode;
};

const NODE_TYPES = { service: MapNodeView };
const EDGE_TYPES = { call: MapEdgeView };
/** With more edges than this, labels would cover the map: only edges near the selection have one, the others fade. */
const MAX_LABELS = 40;
/** Space around the whole map; at the top it is for the legend. */
const FIT = { padding: { top: '52px', right: '32px', bottom: '24px', left: '32px' }, maxZoom: 1 } as const;
const FIT_WITHOUT_LEGEND = { ...FIT, padding: { ...FIT.padding, top: '16px', bottom: '16px' } } as const;

/** Services and their calls, left to right. Nodes and edges can have the focus; Enter selects, Escape deselects. */
export function MapView(props: Props): ReactElement {
  const layout = useLayout(props.graph);
  return (
    <div className={styles.map}>
      <ReactFlowProvider>{layout && <Canvas {...props} layout={layout} />}</ReactFlowProvider>
    </div>
  );
}

function Canvas({
  graph,
  windowMinutes,
  selection,
  onSelect,
  legend,
  layout,
}: Props & { readonly layout: Layout }): ReactElement {
  const isDark = useIsDark();
  const { zoomIn, zoomOut } = useReactFlow();
  const fit = legend === undefined ? FIT_WITHOUT_LEGEND : FIT;
  const { onMoved, fitAll } = useMapCamera(layout, selection, fit);

  const isCrowded = graph.edges.length > MAX_LABELS;
  const near = useMemo(
    () => (isCrowded && selection ? neighbourhood(graph, selection) : undefined),
    [graph, selection, isCrowded],
  );

  const nodes = useMemo<ServiceNode[]>(
    () =>
      graph.nodes.flatMap((node) => {
        const position = layout.positions.get(node.key);
        if (!position) return [];
        return {
          id: node.key,
          type: 'service',
          position,
          data: { node, windowMinutes, isFaded: near !== undefined && !near.has(node.key) },
          width: NODE_WIDTH,
          height: NODE_HEIGHT,
          selected: selection?.kind === 'node' && selection.key === node.key,
          ariaLabel: describeNode(node, windowMinutes),
        };
      }),
    [graph, layout, windowMinutes, selection, near],
  );
  const edges = useMemo<CallEdge[]>(
    () =>
      graph.edges.map((edge) => ({
        id: edge.key,
        type: 'call',
        source: edge.from,
        target: edge.to,
        data: {
          edge,
          windowMinutes,
          isLabelled: near ? near.has(edge.key) : !isCrowded,
          isFaded: near !== undefined && !near.has(edge.key),
        },
        selected: selection?.kind === 'edge' && selection.key === edge.key,
        markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: isDark ? '#6c7786' : '#8c95a0' },
        ariaLabel: describeEdge(edge, graph, windowMinutes),
      })),
    [graph, windowMinutes, selection, isDark, near, isCrowded],
  );

  const selectFrom = (
    kind: GraphSelection['kind'],
    changes: readonly (NodeChange<ServiceNode> | EdgeChange<CallEdge>)[],
  ) => {
    for (const change of changes) {
      if (change.type !== 'select') continue;
      if (change.selected) onSelect({ kind, key: change.id });
      else if (changes.length === 1 && selection?.kind === kind && selection.key === change.id) onSelect(undefined);
    }
  };

  return (
    <ReactFlow
      nodes={nodes}
      edges={edges}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      colorMode={isDark ? 'dark' : 'light'}
      fitView
      fitViewOptions={fit}
      minZoom={0.05}
      maxZoom={2.5}
      nodesDraggable={false}
      nodesConnectable={false}
      deleteKeyCode={null}
      multiSelectionKeyCode={null}
      selectionKeyCode={null}
      onlyRenderVisibleElements={nodes.length > 300}
      onNodesChange={(changes) => selectFrom('node', changes)}
      onEdgesChange={(changes) => selectFrom('edge', changes)}
      onPaneClick={() => onSelect(undefined)}
      onMove={(event) => event && onMoved()}
      aria-label="Service map"
    >
      {legend !== undefined && <Panel position="top-left">{legend}</Panel>}
      <Background gap={22} size={1.4} color="var(--map-dot)" />
      <Panel position="bottom-left" className={styles.tools ?? ''}>
        <button type="button" aria-label="Zoom in" onClick={() => void zoomIn({ duration: 150 })}>
          +
        </button>
        <button type="button" aria-label="Zoom out" onClick={() => void zoomOut({ duration: 150 })}>
          −
        </button>
        <button type="button" onClick={fitAll}>
          Fit
        </button>
      </Panel>
    </ReactFlow>
  );
}
