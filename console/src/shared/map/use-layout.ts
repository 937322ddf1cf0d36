import { useEffect, useMemo, useState } from 'react';
import type { ServiceGraph } from './graph.ts';
import type { Point, Topology } from './layout.ts';

export type Layout = { readonly topology: string; readonly positions: ReadonlyMap<string, Point> };

let worker: Worker | undefined;
let lastId = 0;

/**
 * Positions of the nodes of a graph; undefined until the first layout is ready. Only a changed topology starts a new
 * layout, so that new statistics move no node. The old layout stays until the new one is ready.
 */
export function useLayout(graph: ServiceGraph): Layout | undefined {
  const [layout, setLayout] = useState<Layout>();
  const topology = useMemo(() => JSON.stringify(topologyOf(graph)), [graph]);

  useEffect(() => {
    worker ??= new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
    const id = ++lastId;
    const onLayout = ({ data }: MessageEvent<{ id: number; positions: ReadonlyMap<string, Point> }>) => {
      if (data.id === id) setLayout({ topology, positions: data.positions });
    };
    worker.addEventListener('message', onLayout);
    worker.postMessage({ id, topology: JSON.parse(topology) as Topology });
    return () => worker?.removeEventListener('message', onLayout);
  }, [topology]);

  return layout;
}

function topologyOf({ nodes, edges }: ServiceGraph): Topology {
  return { nodes: nodes.map(({ key }) => key), edges: edges.map(({ from, to }) => ({ from, to })) };
}
