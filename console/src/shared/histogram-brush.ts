import type { DurationBand } from './filter-text.ts';
import { formatDuration } from './format.ts';
import { type Bin, type Histogram, niceStep } from './histogram.ts';

/** Indexes of the bins where a drag began and where it is now, in either order; both are included. */
export type BinRange = { readonly anchor: number; readonly focus: number };

/** The response times that the bins of a range cover. */
export function bandOf(bins: readonly Bin[], { anchor, focus }: BinRange): DurationBand {
  const first = bins[Math.min(anchor, focus)];
  const last = bins[Math.max(anchor, focus)];
  return { minUs: Math.floor(first?.fromUs ?? 0), maxUs: Math.ceil(last?.toUs ?? 0) };
}

/** The bins whose middle is in the band; undefined for none. */
export function binsIn(bins: readonly Bin[], band: DurationBand | undefined): BinRange | undefined {
  if (!band) return undefined;
  const isIn = ({ fromUs, toUs }: Bin) => (fromUs + toUs) / 2 >= band.minUs && (fromUs + toUs) / 2 <= band.maxUs;
  const anchor = bins.findIndex(isIn);
  return anchor < 0 ? undefined : { anchor, focus: bins.findLastIndex(isIn) };
}

type AxisLabel = { readonly at: number; readonly text: string };

/** Labels below the bars, each text once; `at` is the position from 0 to 1. */
export function axisLabels(histogram: Histogram): readonly AxisLabel[] {
  return evenLabels(histogram).filter(({ text }, index, all) => text !== all[index - 1]?.text);
}

function evenLabels({ bins, scale }: Histogram): readonly AxisLabel[] {
  const low = bins[0]?.fromUs;
  const high = bins.at(-1)?.toUs;
  if (low === undefined || high === undefined || low >= high) return [];
  if (scale === 'log') {
    const decades = Math.log10(high / low);
    const every = Math.max(1, Math.ceil(decades / 6));
    const labels: AxisLabel[] = [];
    for (let power = Math.ceil(Math.log10(low) - 1e-9); power <= Math.log10(high) + 1e-9; power += every) {
      labels.push({ at: (power - Math.log10(low)) / decades, text: formatDuration(10 ** power) });
    }
    return labels;
  }
  const step = niceStep((high - low) / 5);
  const labels: AxisLabel[] = [];
  for (let us = Math.ceil(low / step - 1e-9) * step; us <= high * (1 + 1e-9); us += step) {
    labels.push({ at: (us - low) / (high - low), text: formatDuration(us) });
  }
  return labels;
}
