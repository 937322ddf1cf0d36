import { layoutGraph, type Topology } from './layout.ts';

/** In a worker, since dagre takes some hundred milliseconds for 200 services. */
self.addEventListener('message', ({ data }: MessageEvent<{ readonly id: number; readonly topology: Topology }>) => {
  self.postMessage({ id: data.id, positions: layoutGraph(data.topology) });
});
