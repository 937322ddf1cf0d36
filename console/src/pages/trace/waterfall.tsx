import Button from '@cloudscape-design/components/button';
import type { TimeInterval } from 'openray/model';
import { type ReactElement, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { TraceTree } from './entities.ts';
import { collapsibleIds, expandPathTo, visibleRows } from './rows.ts';
import { wholeTimeline } from './time-axis.ts';
import { TimeScale } from './time-scale.tsx';
import styles from './waterfall.module.css';
import { WaterfallRows } from './waterfall-rows.tsx';
import { WaterfallSearch } from './waterfall-search.tsx';

type Props = {
  readonly tree: TraceTree;
  readonly selectedId: string | undefined;
  readonly onSelect: (id: string | undefined) => void;
};

/** Segments and subsegments over time, with the state of collapsed rows, zoom and search. */
export function Waterfall({ tree, selectedId, onSelect }: Props): ReactElement {
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const [activeKey, setActiveKey] = useState<string | undefined>(selectedId);
  const [zoom, setZoom] = useState<TimeInterval>();
  const [matches, setMatches] = useState<ReadonlySet<string>>(new Set());

  const rows = useMemo(() => visibleRows(tree, collapsed), [tree, collapsed]);
  const whole = useMemo(() => wholeTimeline(tree), [tree]);
  const view = zoom ?? whole;
  // A new selection by the map or a link is scrolled into view; a refresh must not scroll back to it.
  const lastSelected = useRef<string>(undefined);
  useEffect(() => {
    if (selectedId === lastSelected.current) return;
    lastSelected.current = selectedId;
    if (selectedId === undefined) return;
    setCollapsed((before) => expandPathTo(tree, before, selectedId));
    setActiveKey(selectedId);
  }, [selectedId, tree]);
  const toggle = useCallback(
    (key: string) =>
      setCollapsed((before) => {
        const after = new Set(before);
        if (!after.delete(key)) after.add(key);
        return after;
      }),
    [],
  );
  const show = (id: string) => {
    setCollapsed((before) => expandPathTo(tree, before, id));
    setActiveKey(id);
  };

  return (
    <section className={styles.waterfall} aria-label="Timeline">
      <div className={styles.tools}>
        <h2>Timeline</h2>
        <WaterfallSearch tree={tree} onShow={show} onMatches={setMatches} />
        <span className={styles.buttons}>
          {zoom && <Button onClick={() => setZoom(undefined)}>Whole trace</Button>}
          <Button onClick={() => setCollapsed(new Set())}>Expand all</Button>
          <Button onClick={() => setCollapsed(collapsibleIds(tree))}>Collapse all</Button>
        </span>
      </div>
      <TimeScale
        view={view}
        whole={whole}
        onView={(next) => setZoom(next.toUs - next.fromUs >= whole.toUs - whole.fromUs ? undefined : next)}
      />
      <WaterfallRows
        rows={rows}
        activeKey={activeKey}
        selectedId={selectedId}
        matches={matches}
        view={view}
        traceEndUs={tree.endUs}
        onMove={setActiveKey}
        onToggle={toggle}
        onSelect={onSelect}
      />
    </section>
  );
}
