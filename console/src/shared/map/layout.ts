import { graphlib, layout } from '@dagrejs/dagre';

/** The part of a graph on which its layout depends. */
export type Topology = {
  readonly nodes: readonly string[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
};

export type Point = { readonly x: number; readonly y: number };

/** Size of a node with its name, in px; map-node.module.css keeps within it. */
export const NODE_WIDTH = 160;
export const NODE_HEIGHT = 124;

const ROW_GAP = 14;
const RANK_GAP = 110;
/** Between the columns of a folded rank. */
const COLUMN_GAP = 24;
/** A map whose height is more than this times its width is folded. */
const TALLEST = 1.3;
/** Width to height of a folded map, about that of a screen. */
const SCREEN = 1.6;

/**
 * The upper left corner of each node; callers are left of the services that they call. The same topology gives the same
 * layout. A service that calls fifty others would make one long column: such a rank is folded into several columns.
 */
export function layoutGraph({ nodes, edges }: Topology): ReadonlyMap<string, Point> {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: ROW_GAP, ranksep: RANK_GAP, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const key of nodes) graph.setNode(key, { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const { from, to } of edges) if (from !== to) graph.setEdge(from, to);
  layout(graph);
  const placed = new Map(
    nodes.map((key) => {
      const { x, y } = graph.node(key) as unknown as Point;
      return [key, { x: x - NODE_WIDTH / 2, y: y - NODE_HEIGHT / 2 }];
    }),
  );
  const ranks = ranksOf(placed);
  const widest = Math.max(0, ...ranks.map((rank) => rank.length));
  return widest * (NODE_HEIGHT + ROW_GAP) > TALLEST * ranks.length * (NODE_WIDTH + RANK_GAP) ? fold(ranks) : placed;
}

/** Keys by rank from left to right, each from top to bottom. */
function ranksOf(placed: ReadonlyMap<string, Point>): readonly (readonly string[])[] {
  const byX = new Map<number, [string, number][]>();
  for (const [key, { x, y }] of placed) {
    const column = Math.round(x);
    const rank = byX.get(column) ?? [];
    rank.push([key, y]);
    byX.set(column, rank);
  }
  return [...byX].sort((a, b) => a[0] - b[0]).map(([, rank]) => rank.sort((a, b) => a[1] - b[1]).map(([key]) => key));
}

function fold(ranks: readonly (readonly string[])[]): ReadonlyMap<string, Point> {
  const rows = rowsFor(ranks.map((rank) => rank.length));
  const placed = new Map<string, Point>();
  let x = 16;
  for (const rank of ranks) {
    const columns = Math.ceil(rank.length / rows);
    const perColumn = Math.ceil(rank.length / columns);
    for (let column = 0; column < columns; column += 1) {
      const keys = rank.slice(column * perColumn, (column + 1) * perColumn);
      const top = 16 + ((rows - keys.length) / 2) * (NODE_HEIGHT + ROW_GAP);
      for (const [row, key] of keys.entries()) placed.set(key, { x, y: top + row * (NODE_HEIGHT + ROW_GAP) });
      x += NODE_WIDTH + COLUMN_GAP;
    }
    x += RANK_GAP - COLUMN_GAP;
  }
  return placed;
}

/** The largest number of rows, at least 3, with which the map has the proportions of a screen. */
function rowsFor(sizes: readonly number[]): number {
  for (let rows = Math.max(...sizes); rows > 3; rows -= 1) {
    const columns = sizes.reduce((sum, size) => sum + Math.ceil(size / rows), 0);
    const width = columns * (NODE_WIDTH + COLUMN_GAP) + sizes.length * (RANK_GAP - COLUMN_GAP);
    if (width >= SCREEN * rows * (NODE_HEIGHT + ROW_GAP)) return rows;
  }
  return 3;
}
