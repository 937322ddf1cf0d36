// biome-ignore-all lint/a11y/useSemanticElements: rows with absolute positions cannot be a <table>
// biome-ignore-all lint/a11y/useFocusableInteractive: the tree grid has the focus and names its active row
import type { TimeInterval } from 'openray/model';
import { memo, type ReactElement, type ReactNode } from 'react';
import { formatDuration } from '../../shared/format.ts';
import { Glyph } from '../../shared/map/glyph.tsx';
import { nodeGlyph, nodeTypeLabel } from '../../shared/node-type.ts';
import { drawnStartUs, type Entity } from './entities.ts';
import { ORPHANS, type Row } from './rows.ts';
import { barPosition } from './time-axis.ts';
import styles from './waterfall-row.module.css';

type Props = {
  readonly id: string | undefined;
  readonly row: Row;
  readonly index: number;
  readonly topPx: number;
  readonly view: TimeInterval;
  readonly traceEndUs: number;
  readonly isActive: boolean;
  readonly isSelected: boolean;
  readonly isMatch: boolean;
  readonly onToggle: (key: string) => void;
  readonly onSelect: (id: string) => void;
};

/** Deeper rows than this are not indented further: their names would leave the column. */
const MAX_INDENT = 18;

/** One row of the timeline: name left, bar right. */
export const WaterfallRow = memo(function WaterfallRow({ row, onToggle, onSelect, ...props }: Props): ReactElement {
  const level = row.kind === 'entity' ? row.level : 1;
  const hasChildren = row.kind === 'orphans' || row.entity.children.length > 0;
  const position = row.kind === 'entity' ? { 'aria-setsize': row.setSize, 'aria-posinset': row.position } : {};
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree grid around it has the focus and handles the keys
    <div
      id={props.id}
      role="row"
      className={styles.row}
      style={{ transform: `translateY(${props.topPx}px)` }}
      aria-level={level}
      aria-rowindex={props.index + 1}
      aria-selected={props.isSelected}
      {...position}
      {...(hasChildren ? { 'aria-expanded': row.isOpen } : {})}
      data-active={props.isActive}
      data-match={props.isMatch}
      onClick={() => (row.kind === 'orphans' ? onToggle(ORPHANS) : onSelect(row.key))}
    >
      <div
        role="gridcell"
        className={styles.name}
        style={{ paddingInlineStart: 8 + Math.min(level - 1, MAX_INDENT) * 14 }}
      >
        {hasChildren ? (
          <button
            type="button"
            tabIndex={-1}
            className={styles.toggle}
            aria-label={row.isOpen ? 'Collapse' : 'Expand'}
            onClick={(event) => {
              event.stopPropagation();
              onToggle(row.key);
            }}
          >
            <svg viewBox="0 0 10 10" width="10" height="10" data-open={row.isOpen} aria-hidden="true">
              <path d="M3 1l4 4-4 4" fill="none" stroke="currentColor" strokeWidth="1.6" />
            </svg>
          </button>
        ) : (
          <span className={styles.leaf} />
        )}
        {row.kind === 'orphans' ? <OrphansName count={row.count} /> : <EntityName entity={row.entity} />}
      </div>
      <div role="gridcell" className={styles.track}>
        {row.kind === 'entity' && <Bar entity={row.entity} view={props.view} traceEndUs={props.traceEndUs} />}
      </div>
    </div>
  );
});

function EntityName({ entity }: { readonly entity: Entity }): ReactElement {
  const { kind, name, origin, inferredType } = entity;
  if (kind === 'segment') {
    return (
      <>
        <Glyph glyph={nodeGlyph(origin)} size={14} />
        <strong title={name}>{name}</strong>
        <small>{nodeTypeLabel(origin)}</small>
      </>
    );
  }
  return (
    <>
      <span title={name}>{name}</span>
      {inferredType !== undefined && <small>→ {nodeTypeLabel(inferredType)}</small>}
    </>
  );
}

function OrphansName({ count }: { readonly count: number }): ReactElement {
  return (
    <>
      <strong>Parent not received</strong>
      <small title="The parent of these subsegments was not received: it may still arrive, or its process was stopped">
        {count} {count === 1 ? 'subsegment' : 'subsegments'}
      </small>
    </>
  );
}

function Bar({
  entity,
  view,
  traceEndUs,
}: {
  readonly entity: Entity;
  readonly view: TimeInterval;
  readonly traceEndUs: number;
}): ReactElement | null {
  const isRunning = entity.endUs === undefined;
  const endUs = entity.endUs ?? Math.max(traceEndUs, entity.startUs);
  const drawnFromUs = drawnStartUs(entity);
  const bar = barPosition(view, entity.startUs, endUs);
  const lead = drawnFromUs < entity.startUs ? barPosition(view, drawnFromUs, entity.startUs) : undefined;
  const end = bar ?? lead;
  if (!end) return null;
  const text = isRunning ? 'in progress' : formatDuration(endUs - entity.startUs);
  return (
    <>
      {lead && (
        <div
          className={styles.lead}
          style={{ left: `${lead.left * 100}%`, width: `${lead.width * 100}%` }}
          title="Before the start of the segment: a subsegment started earlier"
        />
      )}
      {bar && (
        <div
          className={styles.bar}
          data-outcome={entity.outcome}
          data-kind={entity.kind}
          data-running={isRunning}
          style={{ left: `${bar.left * 100}%`, width: `max(3px, ${bar.width * 100}%)` }}
        />
      )}
      <EventMarks entity={entity} view={view} />
      {/* Right of the bar, where the styles leave space for it. */}
      <span
        className={styles.time}
        style={{ left: `max(${(end.left + end.width) * 100}%, calc(${end.left * 100}% + 3px))` }}
      >
        {text}
      </span>
    </>
  );
}

/** More marks than this in one row cannot be distinguished. */
const MAX_MARKS = 60;

/** Marks of a span's events, on its bar. */
function EventMarks({
  entity: { events, startUs },
  view,
}: {
  readonly entity: Entity;
  readonly view: TimeInterval;
}): ReactNode {
  if (events.length === 0) return null;
  return events.slice(0, MAX_MARKS).map(({ atUs, name }, index) => {
    const position = barPosition(view, atUs, atUs);
    return (
      position && (
        <i
          // biome-ignore lint/suspicious/noArrayIndexKey: events may be alike, and never change their order
          key={index}
          className={styles.event}
          data-exception={name === 'exception'}
          style={{ left: `${position.left * 100}%` }}
          title={`${name}, ${formatDuration(atUs - startUs)} after the start`}
        />
      )
    );
  });
}
