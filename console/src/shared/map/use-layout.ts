import { useEffect, useMemo, useState } from 'react';
import type { ServiceGraph } from './graph.ts';
import type { Point, Topology } from './layout.ts';

export type Layout = { readonly topology: string; readonly positions: ReadonlyMap<string, Point> };

let worker: Worker | undefined;
let lastId = 0;

/**
 * Where the nodes of a map lie; undefined until the first layout is there. Only a changed topology is laid out anew,
 * so that fresh numbers do not move anything; until then the old layout stays.
 */
export function useLayout(map: ServiceGraph): Layout | undefined {
  const [layout, setLayout] = useState<Layout>();
  const topology = useMemo(() => JSON.stringify(topologyOf(map)), [map]);

  useEffect(() => {
    worker ??= new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
    const id = ++lastId;
    const answered = ({ data }: MessageEvent<{ id: number; positions: ReadonlyMap<string, Point> }>) => {
      if (data.id === id) setLayout({ topology, positions: data.positions });
    };
    worker.addEventListener('message', answered);
    worker.postMessage({ id, topology: JSON.parse(topology) as Topology });
    return () => worker?.removeEventListener('message', answered);
  }, [topology]);

  return layout;
}

function topologyOf({ nodes, edges }: ServiceGraph): Topology {
  return { nodes: nodes.map(({ key }) => key), edges: edges.map(({ from, to }) => ({ from, to })) };
}
