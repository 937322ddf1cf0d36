import { type KeyboardEvent, type PointerEvent, type ReactElement, useId, useMemo, useRef, useState } from 'react';
import type { DurationBand } from './filter-text.ts';
import { formatCount, formatDuration } from './format.ts';
import { binTimes, type Histogram, type WeightedTime } from './histogram.ts';
import { axisLabels, type BinRange, bandOf, binsIn } from './histogram-brush.ts';
import styles from './histogram-chart.module.css';

type Props = {
  readonly times: readonly WeightedTime[];
  readonly label: string;
  readonly height?: number;
  readonly band: DurationBand | undefined;
  readonly onBand: (band: DurationBand | undefined) => void;
};

const MAX_BINS = 36;

/**
 * Distribution of response times. A drag over the bars selects a band of times, and so does a click on a bar.
 * By keyboard: arrows move along the bars, Shift and arrow extend the band, Enter selects the bar, Escape clears.
 */
export function HistogramChart({ times, label, height = 110, band, onBand }: Props): ReactElement {
  const histogram = useMemo(() => binTimes(times, MAX_BINS), [times]);
  const { bins } = histogram;
  const [drag, setDrag] = useState<BinRange>();
  const [cursor, setCursor] = useState<number>();
  const plot = useRef<HTMLDivElement>(null);
  const hintId = useId();
  const selected = drag ?? binsIn(bins, band);
  const highest = Math.max(1, ...bins.map(({ count }) => count));

  const binAt = (event: PointerEvent): number => {
    const box = plot.current?.getBoundingClientRect();
    if (!box || box.width === 0) return 0;
    return Math.max(0, Math.min(bins.length - 1, Math.floor(((event.clientX - box.left) / box.width) * bins.length)));
  };
  const selectBins = (range: BinRange | undefined) => onBand(range && bandOf(bins, range));

  const onKeyDown = (event: KeyboardEvent) => {
    const last = bins.length - 1;
    const at = cursor ?? 0;
    const moves: Readonly<Record<string, number>> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
    const target = moves[event.key];
    if (target !== undefined) {
      const next = Math.max(0, Math.min(last, target));
      if (event.shiftKey) selectBins({ anchor: selected?.anchor ?? at, focus: next });
      setCursor(next);
    } else if (event.key === 'Enter' || event.key === ' ') selectBins({ anchor: at, focus: at });
    else if (event.key === 'Escape') selectBins(undefined);
    else return;
    event.preventDefault();
  };

  if (bins.length === 0) return <p className={styles.none}>No finished request in this time range.</p>;
  const hovered = cursor === undefined ? undefined : bins[cursor];
  return (
    <figure className={styles.chart}>
      <div
        ref={plot}
        className={styles.plot}
        style={{ height }}
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-describedby={hintId}
        aria-valuemin={0}
        aria-valuemax={bins.length - 1}
        aria-valuenow={cursor ?? 0}
        aria-valuetext={hovered ? describeBin(hovered) : 'no bar selected'}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const at = binAt(event);
          setDrag({ anchor: at, focus: at });
        }}
        onPointerMove={(event) => {
          const at = binAt(event);
          setCursor(at);
          if (drag) setDrag({ anchor: drag.anchor, focus: at });
        }}
        onPointerUp={() => {
          if (drag) selectBins(drag);
          setDrag(undefined);
        }}
        onPointerCancel={() => setDrag(undefined)}
        onPointerLeave={() => !drag && setCursor(undefined)}
      >
        {bins.map((bin, index) => (
          <div
            key={bin.fromUs}
            className={styles.column}
            data-cursor={index === cursor}
            data-dimmed={selected !== undefined && !isWithin(selected, index)}
          >
            <div style={{ height: bin.count === 0 ? 0 : `max(2px, ${(100 * bin.count) / highest}%)` }} />
          </div>
        ))}
      </div>
      <div className={styles.axis} aria-hidden="true">
        {axisLabels(histogram).map(({ at, text }) => (
          <span
            key={at}
            style={{ insetInlineStart: `${at * 100}%` }}
            data-end={at > 0.94 ? 'right' : at < 0.04 ? 'left' : undefined}
          >
            {text}
          </span>
        ))}
      </div>
      <figcaption className={styles.caption}>
        <span aria-live="off">
          {hovered
            ? describeBin(hovered)
            : band
              ? `Selected: ${formatDuration(band.minUs)} to ${formatDuration(band.maxUs)}`
              : describeAll(histogram)}
        </span>
        {band && (
          <button type="button" onClick={() => onBand(undefined)}>
            Clear selection
          </button>
        )}
      </figcaption>
      <span id={hintId} className="visually-hidden">
        Arrow keys move along the bars, Shift and arrow extend the band, Enter selects a bar, Escape clears.
      </span>
    </figure>
  );
}

function isWithin({ anchor, focus }: BinRange, index: number): boolean {
  return index >= Math.min(anchor, focus) && index <= Math.max(anchor, focus);
}

function describeAll({ total, scale }: Histogram): string {
  const unit = total === 1 ? 'request' : 'requests';
  return `${formatCount(total)} ${unit}${scale === 'log' ? ', logarithmic scale' : ''}`;
}

function describeBin({ fromUs, toUs, count }: { fromUs: number; toUs: number; count: number }): string {
  return `${formatDuration(fromUs)} to ${formatDuration(toUs)}: ${formatCount(count)}`;
}
