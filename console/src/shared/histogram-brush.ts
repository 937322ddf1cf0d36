import type { Band } from './filter-text.ts';
import { formatDuration } from './format.ts';
import { type Bin, type Histogram, niceStep } from './histogram.ts';

/** Bins by index from where a drag began to where it is, in either direction, both included. */
export type BinRange = { readonly anchor: number; readonly focus: number };

/** The band of time that the bins of a range cover. */
export function bandOf(bins: readonly Bin[], { anchor, focus }: BinRange): Band {
  const first = bins[Math.min(anchor, focus)];
  const last = bins[Math.max(anchor, focus)];
  return { fromUs: Math.floor(first?.fromUs ?? 0), toUs: Math.ceil(last?.toUs ?? 0) };
}

/** The bins that a band covers by more than half; undefined when it covers none. */
export function binsIn(bins: readonly Bin[], band: Band | undefined): BinRange | undefined {
  if (!band) return undefined;
  const isIn = ({ fromUs, toUs }: Bin) => (fromUs + toUs) / 2 >= band.fromUs && (fromUs + toUs) / 2 <= band.toUs;
  const anchor = bins.findIndex(isIn);
  return anchor < 0 ? undefined : { anchor, focus: bins.findLastIndex(isIn) };
}

/** Labels below the bars; `at` is the place from 0 to 1. */
export function axisLabels({ bins, scale }: Histogram): readonly { readonly at: number; readonly text: string }[] {
  const low = bins[0]?.fromUs;
  const high = bins.at(-1)?.toUs;
  if (low === undefined || high === undefined || low >= high) return [];
  if (scale === 'log') {
    const span = Math.log10(high / low);
    const every = Math.max(1, Math.ceil(span / 6));
    const labels: { at: number; text: string }[] = [];
    for (let power = Math.ceil(Math.log10(low) - 1e-9); power <= Math.log10(high) + 1e-9; power += every) {
      labels.push({ at: (power - Math.log10(low)) / span, text: formatDuration(10 ** power) });
    }
    return labels;
  }
  const step = niceStep((high - low) / 5);
  const labels: { at: number; text: string }[] = [];
  for (let us = Math.ceil(low / step - 1e-9) * step; us <= high * (1 + 1e-9); us += step) {
    labels.push({ at: (us - low) / (high - low), text: formatDuration(us) });
  }
  return labels;
}
