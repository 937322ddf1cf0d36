import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import type { ReactElement } from 'react';
import { nodeGlyph, nodeTypeLabel, shortNodeName } from '../node-type.ts';
import { latencyText, volumeText } from './describe.ts';
import { Glyph } from './glyph.tsx';
import type { GraphNode } from './graph.ts';
import { HealthRing } from './health-ring.tsx';
import styles from './map-node.module.css';

export type ServiceNode = Node<
  { readonly node: GraphNode; readonly windowMinutes: number | undefined; readonly isFaded: boolean },
  'service'
>;

const RING = 78;

/** A service: its health as a ring, latency and rate inside, name and type below. */
export function MapNodeView({ data, selected }: NodeProps<ServiceNode>): ReactElement {
  const { node, windowMinutes, isFaded } = data;
  return (
    <div className={styles.node} data-selected={selected} data-faded={isFaded} title={node.name}>
      <div className={styles.ring}>
        <HealthRing counts={node.traffic.counts} size={RING} />
        <div className={styles.inside}>
          {node.isClient || node.traffic.total === 0 ? (
            <Glyph glyph={node.isClient ? 'client' : nodeGlyph(node.type)} size={30} />
          ) : (
            <>
              <strong>{latencyText(node.traffic)}</strong>
              <span>{volumeText(node.traffic, windowMinutes)}</span>
            </>
          )}
        </div>
        <Handle type="target" position={Position.Left} isConnectable={false} />
        <Handle type="source" position={Position.Right} isConnectable={false} />
      </div>
      <div className={styles.name}>
        {!node.isClient && <Glyph glyph={nodeGlyph(node.type)} size={13} />}
        <span>{node.isClient ? 'Client' : shortNodeName(node.name, node.type)}</span>
      </div>
      {!node.isClient && <div className={styles.type}>{nodeTypeLabel(node.type)}</div>}
    </div>
  );
}
