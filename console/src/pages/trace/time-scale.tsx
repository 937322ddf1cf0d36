import { type PointerEvent, type ReactElement, useRef, useState } from 'react';
import { formatDuration } from '../../shared/format.ts';
import { axisTicks, type TimelineView, zoomed } from './time-axis.ts';
import styles from './time-scale.module.css';

type Props = {
  readonly view: TimelineView;
  readonly whole: TimelineView;
  readonly onView: (view: TimelineView) => void;
};

/** The time axis above the bars. A drag zooms to its range; plus, minus and arrow keys zoom and move. */
export function TimeScale({ view, whole, onView }: Props): ReactElement {
  const scale = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ readonly anchor: number; readonly focus: number }>();

  const at = (event: PointerEvent): number => {
    const box = scale.current?.getBoundingClientRect();
    if (!box || box.width === 0) return 0;
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  };
  const finish = () => {
    setDrag(undefined);
    if (!drag || Math.abs(drag.anchor - drag.focus) < 0.005) return;
    const length = view.lastUs - view.firstUs;
    onView({
      firstUs: view.firstUs + Math.min(drag.anchor, drag.focus) * length,
      lastUs: view.firstUs + Math.max(drag.anchor, drag.focus) * length,
    });
  };

  return (
    <div className={styles.axis}>
      <div className={styles.heading}>Name</div>
      <div
        ref={scale}
        className={styles.scale}
        role="slider"
        tabIndex={0}
        aria-label="Time axis. Plus zooms in, minus zooms out, arrows move."
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round((100 * (view.firstUs - whole.firstUs)) / (whole.lastUs - whole.firstUs))}
        aria-valuetext={`from ${formatDuration(view.firstUs - whole.firstUs)} to ${formatDuration(view.lastUs - whole.firstUs)}`}
        title="Drag to zoom"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ anchor: at(event), focus: at(event) });
        }}
        onPointerMove={(event) => drag && setDrag({ ...drag, focus: at(event) })}
        onPointerUp={finish}
        onPointerCancel={() => setDrag(undefined)}
        onDoubleClick={() => onView(whole)}
        onKeyDown={(event) => {
          const length = view.lastUs - view.firstUs;
          const moved = (byUs: number): TimelineView => {
            const firstUs = Math.min(Math.max(whole.firstUs, view.firstUs + byUs), whole.lastUs - length);
            return { firstUs, lastUs: firstUs + length };
          };
          if (event.key === '+') onView(zoomed(view, whole, 0.5, 0.5));
          else if (event.key === '-') onView(zoomed(view, whole, 2, 0.5));
          else if (event.key === 'ArrowRight') onView(moved(length / 10));
          else if (event.key === 'ArrowLeft') onView(moved(-length / 10));
          else return;
          event.preventDefault();
        }}
      >
        {axisTicks(view, whole.firstUs, 7).map(({ at: position, offsetUs }) => (
          <span key={offsetUs} style={{ insetInlineStart: `${position * 100}%` }}>
            {offsetUs === 0 ? '0' : formatDuration(offsetUs)}
          </span>
        ))}
        {drag && (
          <i
            style={{
              insetInlineStart: `${Math.min(drag.anchor, drag.focus) * 100}%`,
              width: `${Math.abs(drag.anchor - drag.focus) * 100}%`,
            }}
          />
        )}
      </div>
    </div>
  );
}
