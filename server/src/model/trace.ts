import type { Entity } from './entity.ts';
import type { EntityId, TraceId } from './trace-id.ts';

/**
 * A trace as far as it was received, after the rules for repeated and partial documents.
 * Lists are ordered by start time, then id, so they do not depend on the order of arrival.
 */
export type Trace = {
  readonly id: TraceId;
  /** Every entity, once. */
  readonly entities: ReadonlyMap<EntityId, Entity>;
  /** Segments. They are never nested in one another, even if they name a parent. */
  readonly segments: readonly Entity[];
  /** Subsegments of an entity, and the segments that it called. Parent ids that would close a cycle are ignored. */
  readonly childrenOf: ReadonlyMap<EntityId, readonly Entity[]>;
  /** The segment that owns an entity: itself for a segment, the nearest segment above for a subsegment. */
  readonly segmentOf: ReadonlyMap<EntityId, Entity>;
  /** The earliest segment without a parent id; absent if none was received. */
  readonly root: Entity | undefined;
  /** Subsegments whose parent was not received. */
  readonly orphans: readonly Entity[];
  /** Some parent id names an entity that was not received. */
  readonly isPartial: boolean;
  /** 1 for the first document, +1 for each later one that changed the trace. */
  readonly revision: number;
  /**
   * Earliest start of all received versions, including replaced ones: later documents can only
   * move it back.
   */
  readonly startUs: number;
  /** When the last document arrived. */
  readonly updatedUs: number;
};
