import { layoutGraph, type Topology } from './layout.ts';

/** 200 services take dagre some hundred milliseconds; here they hold nobody up. */
self.addEventListener('message', ({ data }: MessageEvent<{ readonly id: number; readonly topology: Topology }>) => {
  self.postMessage({ id: data.id, positions: layoutGraph(data.topology) });
});
