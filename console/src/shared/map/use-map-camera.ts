import { type FitViewOptions, useReactFlow, useStore } from '@xyflow/react';
import { useCallback, useEffect, useRef } from 'react';
import type { GraphSelection } from './graph.ts';
import { NODE_HEIGHT, NODE_WIDTH } from './layout.ts';
import type { Layout } from './use-layout.ts';

/**
 * Fits the whole map into view again after each change of its services or its size, until the user moves the map.
 * After that it only moves the selected node into view.
 */
export function useMapCamera(
  layout: Layout,
  selection: GraphSelection | undefined,
  fit: FitViewOptions,
): { readonly onMoved: () => void; readonly fitAll: () => void } {
  const { fitView, getViewport, setCenter } = useReactFlow();
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const wasMoved = useRef(false);
  const selected = selection?.kind === 'node' ? layout.positions.get(selection.key) : undefined;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a changed topology or size is the reason to fit again
  useEffect(() => {
    if (!wasMoved.current) requestAnimationFrame(() => void fitView({ ...fit, duration: 200 }));
  }, [layout.topology, width, height, fit, fitView]);

  useEffect(() => {
    if (!selected || !wasMoved.current) return;
    const { x, y, zoom } = getViewport();
    const left = selected.x * zoom + x;
    const top = selected.y * zoom + y;
    const isSeen = left >= 0 && top >= 0 && left + NODE_WIDTH * zoom <= width && top + NODE_HEIGHT * zoom <= height;
    if (isSeen) return;
    const center = { x: selected.x + NODE_WIDTH / 2, y: selected.y + NODE_HEIGHT / 2 };
    void setCenter(center.x, center.y, { zoom: Math.max(zoom, 0.8), duration: 250 });
  }, [selected, width, height, getViewport, setCenter]);

  const onMoved = useCallback(() => {
    wasMoved.current = true;
  }, []);
  const fitAll = useCallback(() => {
    wasMoved.current = false;
    void fitView({ ...fit, duration: 250 });
  }, [fit, fitView]);
  return { onMoved, fitAll };
}
