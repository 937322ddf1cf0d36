import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from '@xyflow/react';
import type { ReactElement } from 'react';
import { latencyText, volumeText } from './describe.ts';
import type { GraphEdge } from './graph.ts';
import styles from './map-edge.module.css';

export type CallEdge = Edge<
  {
    readonly edge: GraphEdge;
    readonly windowMinutes: number | undefined;
    readonly isLabelled: boolean;
    readonly isFaded: boolean;
  },
  'call'
>;

/**
 * A call: wider with more requests, coloured where more than 5 % of them failed. A dashed edge leads from a producer of
 * messages to their consumer.
 */
export function MapEdgeView(props: EdgeProps<CallEdge>): ReactElement {
  const [path, labelX, labelY] = props.source === props.target ? loopPath(props) : getBezierPath(props);
  const { data, selected, markerEnd } = props;
  if (!data) return <BaseEdge path={path} />;
  const { edge, windowMinutes, isLabelled, isFaded } = data;
  const { counts, total } = edge.traffic;
  const color =
    counts.fault > total * 0.05
      ? 'var(--fault)'
      : counts.error + counts.throttle > total * 0.05
        ? 'var(--error)'
        : 'var(--edge)';
  return (
    <>
      <BaseEdge
        path={path}
        interactionWidth={24}
        {...(markerEnd === undefined ? {} : { markerEnd })}
        style={{
          // The style sheet sets the variable where the edge has the pointer or the focus.
          stroke: selected ? 'var(--focus)' : `var(--edge-stroke, ${color})`,
          strokeWidth: Math.min(4, 1.2 + Math.log10(1 + total) * 0.5) + (selected ? 1 : 0),
          opacity: isFaded ? 0.12 : 1,
          ...(edge.isLink ? { strokeDasharray: '6 5' } : {}),
        }}
      />
      {(isLabelled || selected) && (
        <EdgeLabelRenderer>
          <div
            className={styles.label}
            style={{ transform: `translate(-50%, -50%) translate(${labelX}px, ${labelY}px)` }}
            aria-hidden="true"
          >
            {latencyText(edge.traffic)}
            {edge.isLink && ' old'}
            <br />
            {volumeText(edge.traffic, windowMinutes, edge.isLink ? 'message' : 'request')}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

/** An edge from a node to itself: from its right side over its top to its left side. */
function loopPath({ sourceX, sourceY, targetX, targetY }: EdgeProps<CallEdge>): [path: string, x: number, y: number] {
  const above = sourceY - LOOP_HEIGHT;
  const path = `M${sourceX},${sourceY} C${sourceX + 36},${above} ${targetX - 36},${above} ${targetX},${targetY}`;
  // A cubic curve reaches three quarters of the way to its control points.
  return [path, (sourceX + targetX) / 2, sourceY - LOOP_HEIGHT * 0.75];
}

const LOOP_HEIGHT = 84;
