import { graphlib, layout } from '@dagrejs/dagre';

/** The part of a map that decides where things lie. */
export type Topology = {
  readonly nodes: readonly string[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
};

export type Point = { readonly x: number; readonly y: number };

/** Room that a node takes, its name included; the styles of map-node hold to it. */
export const NODE_WIDTH = 160;
export const NODE_HEIGHT = 124;

/** The left upper corner of each node, callers left of what they call. The same topology gives the same layout. */
export function layoutMap({ nodes, edges }: Topology): ReadonlyMap<string, Point> {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 110, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const key of nodes) graph.setNode(key, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const { from, to } of edges) if (from !== to) graph.setEdge(from, to);
  layout(graph);
  return new Map(
    nodes.map((key) => {
      const { x, y } = graph.node(key) as unknown as Point;
      return [key, { x: x - NODE_WIDTH / 2, y: y - NODE_HEIGHT / 2 }];
    }),
  );
}
