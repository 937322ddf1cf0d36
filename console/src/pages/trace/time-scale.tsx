import type { TimeInterval } from 'openray/model';
import { type PointerEvent, type ReactElement, useRef, useState } from 'react';
import { formatDuration } from '../../shared/format.ts';
import { axisTicks, zoomed } from './time-axis.ts';
import styles from './time-scale.module.css';

type Props = {
  readonly view: TimeInterval;
  readonly whole: TimeInterval;
  readonly onView: (view: TimeInterval) => void;
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
    const length = view.toUs - view.fromUs;
    onView({
      fromUs: view.fromUs + Math.min(drag.anchor, drag.focus) * length,
      toUs: view.fromUs + Math.max(drag.anchor, drag.focus) * length,
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
        aria-valuenow={Math.round((100 * (view.fromUs - whole.fromUs)) / (whole.toUs - whole.fromUs))}
        aria-valuetext={`from ${formatDuration(view.fromUs - whole.fromUs)} to ${formatDuration(view.toUs - whole.fromUs)}`}
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
          const length = view.toUs - view.fromUs;
          const moved = (byUs: number): TimeInterval => {
            const fromUs = Math.min(Math.max(whole.fromUs, view.fromUs + byUs), whole.toUs - length);
            return { fromUs, toUs: fromUs + length };
          };
          if (event.key === '+') onView(zoomed(view, whole, 0.5, 0.5));
          else if (event.key === '-') onView(zoomed(view, whole, 2, 0.5));
          else if (event.key === 'ArrowRight') onView(moved(length / 10));
          else if (event.key === 'ArrowLeft') onView(moved(-length / 10));
          else return;
          event.preventDefault();
        }}
      >
        {axisTicks(view, whole.fromUs, 7).map(({ at: position, offsetUs }) => (
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
