import { printJson } from 'openray/model';
import type { Entity, TraceTree } from './entities.ts';

/** A row of the timeline. Level, set size and position are those of an ARIA tree grid, from 1. */
export type Row =
  | {
      readonly kind: 'entity';
      readonly key: string;
      readonly entity: Entity;
      readonly level: number;
      readonly setSize: number;
      readonly position: number;
      readonly isOpen: boolean;
    }
  | { readonly kind: 'orphans'; readonly key: 'orphans'; readonly count: number; readonly isOpen: boolean };

/** Key of the row above the subsegments whose parent was not received. */
export const ORPHANS = 'orphans';

/** Rows from top to bottom: each entity, followed by its children unless it is collapsed. */
export function visibleRows(tree: TraceTree, collapsed: ReadonlySet<string>): readonly Row[] {
  const rows: Row[] = [];
  pushRows(rows, tree.roots, 1, collapsed);
  if (tree.orphans.length > 0) {
    const isOpen = !collapsed.has(ORPHANS);
    rows.push({ kind: 'orphans', key: ORPHANS, count: tree.orphans.length, isOpen });
    if (isOpen) pushRows(rows, tree.orphans, 2, collapsed);
  }
  return rows;
}

/** Uses its own stack: traces may be deeper than the call stack. */
function pushRows(rows: Row[], entities: readonly Entity[], level: number, collapsed: ReadonlySet<string>): void {
  const stack = [{ siblings: entities, next: 0, level }];
  for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
    const entity = frame.siblings[frame.next];
    if (!entity) {
      stack.pop();
      continue;
    }
    frame.next += 1;
    const isOpen = !collapsed.has(entity.id);
    rows.push({
      kind: 'entity',
      key: entity.id,
      entity,
      level: frame.level,
      setSize: frame.siblings.length,
      position: frame.next,
      isOpen,
    });
    if (isOpen && entity.children.length > 0)
      stack.push({ siblings: entity.children, next: 0, level: frame.level + 1 });
  }
}

/** Ids of entities with `words` in name, id, URL, annotations, events or exceptions, in the order of the timeline. */
export function findEntities(tree: TraceTree, words: string): readonly string[] {
  const wanted = words.trim().toLowerCase();
  if (wanted === '') return [];
  return visibleRows(tree, new Set()).flatMap((row) =>
    row.kind === 'entity' && searchText(row.entity).includes(wanted) ? [row.entity.id] : [],
  );
}

/** `collapsed` without the ancestors of `id`, so that its row is visible. */
export function expandPathTo(tree: TraceTree, collapsed: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const remaining = new Set(collapsed);
  const seen = new Set<string>();
  remaining.delete(ORPHANS);
  for (let parent = tree.byId.get(id)?.parentId; parent !== undefined && !seen.has(parent); ) {
    seen.add(parent);
    remaining.delete(parent);
    parent = tree.byId.get(parent)?.parentId;
  }
  return remaining;
}

/** Entities with children: collapsing these leaves the roots. */
export function collapsibleIds(tree: TraceTree): ReadonlySet<string> {
  return new Set([...tree.byId.values()].filter(({ children }) => children.length > 0).map(({ id }) => id));
}

function searchText({ id, name, fields, events }: Entity): string {
  const { http, annotations, cause, aws, sql } = fields;
  const eventNames = events.map((event) => event.name).join('\n');
  return `${name}\n${id}\n${eventNames}\n${printJson([http, annotations, cause, aws, sql])}`.toLowerCase();
}
