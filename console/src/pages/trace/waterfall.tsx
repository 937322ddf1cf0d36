import Button from '@cloudscape-design/components/button';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactElement, useEffect, useId, useMemo, useRef, useState } from 'react';
import type { TraceTree } from './entities.ts';
import { closable, openedTo, type Row, visibleRows } from './rows.ts';
import type { Span } from './time-axis.ts';
import { TimeScale } from './time-scale.tsx';
import styles from './waterfall.module.css';
import { keyAction } from './waterfall-keys.ts';
import { WaterfallRow } from './waterfall-row.tsx';
import { WaterfallSearch } from './waterfall-search.tsx';

type Props = {
  readonly tree: TraceTree;
  readonly selectedId: string | undefined;
  readonly onSelect: (id: string | undefined) => void;
};

export const ROW_HEIGHT = 26;

/**
 * Segments and subsegments over time. Only the lines in sight are in the page, so that 100,000 of them scroll smoothly.
 * One element holds the focus and names the active line, as lines come and go.
 */
export function Waterfall({ tree, selectedId, onSelect }: Props): ReactElement {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [activeKey, setActiveKey] = useState<string | undefined>(selectedId);
  const [zoom, setZoom] = useState<Span>();
  const [matches, setMatches] = useState<ReadonlySet<string>>(new Set());
  const scroller = useRef<HTMLDivElement>(null);
  const idPrefix = useId();

  const rows = useMemo(() => visibleRows(tree, closed), [tree, closed]);
  const whole = useMemo<Span>(() => ({ fromUs: tree.startUs, toUs: Math.max(tree.endUs, tree.startUs + 1) }), [tree]);
  const view = zoom ?? whole;
  const found = rows.findIndex(({ key }) => key === activeKey);
  const active = Math.max(0, found);

  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 12,
  });

  // What the map or a link selects must be in sight; but a refresh must not pull anybody back to it.
  const lastSelected = useRef<string>(undefined);
  useEffect(() => {
    if (selectedId === lastSelected.current) return;
    lastSelected.current = selectedId;
    if (selectedId === undefined) return;
    setClosed((before) => openedTo(tree, before, selectedId));
    setActiveKey(selectedId);
  }, [selectedId, tree]);
  const lastShown = useRef<string>(undefined);
  useEffect(() => {
    if (found < 0 || lastShown.current === activeKey) return;
    lastShown.current = activeKey;
    virtualizer.scrollToIndex(found, { align: 'auto' });
  }, [found, activeKey, virtualizer]);

  const toggle = (key: string) =>
    setClosed((before) => {
      const after = new Set(before);
      if (!after.delete(key)) after.add(key);
      return after;
    });
  const show = (id: string) => {
    setClosed((before) => openedTo(tree, before, id));
    setActiveKey(id);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const pageSize = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 1);
    const action = keyAction(rows, active, event.key, pageSize);
    if (!action) return;
    event.preventDefault();
    switch (action.kind) {
      case 'move':
        setActiveKey(action.key);
        return;
      case 'toggle':
        toggle(action.key);
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
    <section className={styles.waterfall} aria-label="Timeline">
      <div className={styles.tools}>
        <h2>Timeline</h2>
        <WaterfallSearch tree={tree} onShow={show} onMatches={setMatches} />
        <span className={styles.buttons}>
          {zoom && <Button onClick={() => setZoom(undefined)}>Whole trace</Button>}
          <Button onClick={() => setClosed(new Set())}>Expand all</Button>
          <Button onClick={() => setClosed(closable(tree))}>Collapse all</Button>
        </span>
      </div>
      <TimeScale
        view={view}
        whole={whole}
        onView={(next) => setZoom(next.toUs - next.fromUs >= whole.toUs - whole.fromUs ? undefined : next)}
      />
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
                traceEndUs={tree.endUs}
                isActive={item.index === active}
                isSelected={row.key === selectedId}
                isMatch={matches.has(row.key)}
                onToggle={toggle}
                onSelect={onSelect}
              />
            );
          })}
        </div>
      </div>
    </section>
  );
}
