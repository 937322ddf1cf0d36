import { useVirtualizer } from '@tanstack/react-virtual';
import type { TimeInterval } from 'openray/model';
import { type KeyboardEvent, type ReactElement, useCallback, useEffect, useId, useMemo, useRef } from 'react';
import type { Row } from './rows.ts';
import styles from './waterfall.module.css';
import { keyAction } from './waterfall-keys.ts';
import { WaterfallRow } from './waterfall-row.tsx';

type Props = {
  readonly rows: readonly Row[];
  readonly activeKey: string | undefined;
  readonly selectedId: string | undefined;
  readonly matches: ReadonlySet<string>;
  readonly view: TimeInterval;
  readonly traceEndUs: number;
  readonly onMove: (key: string) => void;
  readonly onToggle: (key: string) => void;
  readonly onSelect: (id: string | undefined) => void;
};

const ROW_HEIGHT = 26;
const rowHeight = () => ROW_HEIGHT;

/**
 * The rows of the timeline. Only visible rows are in the page, so that 100,000 of them scroll smoothly; a frame of
 * scrolling renders this component only. One element has the focus and names the active row, since scrolling adds and
 * removes rows.
 */
export function WaterfallRows({
  rows,
  activeKey,
  selectedId,
  matches,
  view,
  traceEndUs,
  onMove,
  onToggle,
  onSelect,
}: Props): ReactElement {
  const scroller = useRef<HTMLDivElement>(null);
  const idPrefix = useId();
  const found = useMemo(() => rows.findIndex(({ key }) => key === activeKey), [rows, activeKey]);
  const active = Math.max(0, found);

  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: rowHeight,
    // The virtualizer keeps its measurements as long as this is the same function.
    getItemKey: useCallback((index: number) => rows[index]?.key ?? index, [rows]),
    overscan: 12,
  });

  const lastShown = useRef<string>(undefined);
  useEffect(() => {
    if (found < 0 || lastShown.current === activeKey) return;
    lastShown.current = activeKey;
    virtualizer.scrollToIndex(found, { align: 'auto' });
  }, [found, activeKey, virtualizer]);

  const onKeyDown = (event: KeyboardEvent) => {
    const pageSize = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 1);
    const action = keyAction(rows, active, event.key, pageSize);
    if (!action) return;
    event.preventDefault();
    switch (action.kind) {
      case 'move':
        onMove(action.key);
        return;
      case 'toggle':
        onToggle(action.key);
        return;
      case 'select':
        onSelect(action.key === selectedId ? undefined : action.key);
        return;
      case 'clear':
        onSelect(undefined);
        return;
    }
  };

  const rowId = (row: Row | undefined) => (row ? `${idPrefix}${row.key}` : undefined);
  return (
    <div
      ref={scroller}
      className={styles.rows}
      role="treegrid"
      tabIndex={0}
      aria-label="Segments and subsegments"
      aria-rowcount={rows.length}
      aria-colcount={2}
      aria-activedescendant={rowId(rows[active])}
      onKeyDown={onKeyDown}
    >
      <div style={{ height: virtualizer.getTotalSize(), position: 'relative' }} role="presentation">
        {virtualizer.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          return (
            <WaterfallRow
              key={row.key}
              id={rowId(row)}
              row={row}
              index={item.index}
              topPx={item.start}
              view={view}
              traceEndUs={traceEndUs}
              isActive={item.index === active}
              isSelected={row.key === selectedId}
              isMatch={matches.has(row.key)}
              onToggle={onToggle}
              onSelect={onSelect}
            />
          );
        })}
      </div>
    </div>
  );
}
