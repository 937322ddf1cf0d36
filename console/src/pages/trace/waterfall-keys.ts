import type { Row } from './rows.ts';

/** The action of a key on the timeline. */
export type KeyAction =
  | { readonly kind: 'move'; readonly key: string }
  | { readonly kind: 'toggle'; readonly key: string }
  | { readonly kind: 'select'; readonly key: string }
  | { readonly kind: 'clear' };

/**
 * The keys of a tree grid: up, down, page and end keys move; right expands, then moves to the first child; left
 * collapses, then moves to the parent; Enter and Space select. Undefined for other keys.
 * @see https://www.w3.org/WAI/ARIA/apg/patterns/treegrid/
 */
export function keyAction(rows: readonly Row[], active: number, key: string, pageSize: number): KeyAction | undefined {
  const row = rows[active];
  if (!row) return undefined;
  const moveTo = (index: number): KeyAction | undefined => {
    const target = rows[Math.max(0, Math.min(rows.length - 1, index))];
    return target && { kind: 'move', key: target.key };
  };
  const hasChildren = row.kind === 'orphans' || row.entity.children.length > 0;
  switch (key) {
    case 'ArrowDown':
      return moveTo(active + 1);
    case 'ArrowUp':
      return moveTo(active - 1);
    case 'PageDown':
      return moveTo(active + pageSize);
    case 'PageUp':
      return moveTo(active - pageSize);
    case 'Home':
      return moveTo(0);
    case 'End':
      return moveTo(rows.length - 1);
    case 'ArrowRight':
      if (!hasChildren) return undefined;
      return row.isOpen ? moveTo(active + 1) : { kind: 'toggle', key: row.key };
    case 'ArrowLeft':
      if (hasChildren && row.isOpen) return { kind: 'toggle', key: row.key };
      return moveTo(parentIndex(rows, active));
    case 'Enter':
    case ' ':
      return { kind: row.kind === 'orphans' ? 'toggle' : 'select', key: row.key };
    case 'Escape':
      return { kind: 'clear' };
  }
  return undefined;
}

function parentIndex(rows: readonly Row[], index: number): number {
  const level = levelOf(rows[index]);
  for (let above = index - 1; above >= 0; above -= 1) if (levelOf(rows[above]) < level) return above;
  return index;
}

function levelOf(row: Row | undefined): number {
  return row?.kind === 'entity' ? row.level : 1;
}
