import type { Entity } from './entity.ts';
import type { EntityId, TraceId } from './trace-id.ts';

/**
 * A trace as far as it has arrived, after the rules for repeated and partial documents.
 * Lists are ordered by start time, then id, so that they do not depend on the order of arrival.
 */
export type Trace = {
  readonly id: TraceId;
  /** Every entity, once. */
  readonly entities: ReadonlyMap<EntityId, Entity>;
  /** Segments (never nested in one another, also when they name a parent). */
  readonly segments: readonly Entity[];
  /** Subsegments of an entity, and the segments that it called. Links that would close a cycle are left out. */
  readonly childrenOf: ReadonlyMap<EntityId, readonly Entity[]>;
  /** The segment that owns an entity: itself for a segment, the nearest segment above for a subsegment. */
  readonly segmentOf: ReadonlyMap<EntityId, Entity>;
  /** The earliest segment without a parent id; absent when none has arrived. */
  readonly root: Entity | undefined;
  /** Subsegments below a parent that has not arrived. */
  readonly orphans: readonly Entity[];
  /** Some parent id points to an entity that has not arrived. */
  readonly isPartial: boolean;
  /** 1 for the first document, +1 for each later one that changed the trace. */
  readonly revision: number;
  /**
   * Earliest start of anything that arrived, of versions that others have replaced too: what arrives later can only
   * move it back.
   */
  readonly startUs: number;
  /** When the last document arrived. */
  readonly updatedUs: number;
};
