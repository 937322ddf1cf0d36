import { niceStep } from '../../shared/histogram.ts';

/** The part of a trace that the timeline shows; microseconds since 1970. */
export type Span = { readonly fromUs: number; readonly toUs: number };

/** Marks at even steps from the start of the trace; `at` is the place in the view from 0 to 1, `offsetUs` from its start. */
export function axisTicks(
  view: Span,
  originUs: number,
  maxTicks: number,
): readonly { readonly at: number; readonly offsetUs: number }[] {
  const length = view.toUs - view.fromUs;
  if (length <= 0) return [{ at: 0, offsetUs: view.fromUs - originUs }];
  const step = niceStep(length / maxTicks);
  const ticks: { at: number; offsetUs: number }[] = [];
  const first = Math.max(0, Math.ceil((view.fromUs - originUs) / step - 1e-9));
  for (let index = first; index * step <= view.toUs - originUs; index += 1) {
    ticks.push({ at: (originUs + index * step - view.fromUs) / length, offsetUs: index * step });
  }
  return ticks;
}

/** A bar's left edge and width in parts of the view, cut to it; undefined when it lies outside. */
export function barPosition(
  view: Span,
  fromUs: number,
  toUs: number,
): { readonly left: number; readonly width: number } | undefined {
  const length = Math.max(1, view.toUs - view.fromUs);
  if (toUs < view.fromUs || fromUs > view.toUs) return undefined;
  const left = Math.max(0, (fromUs - view.fromUs) / length);
  const right = Math.min(1, (toUs - view.fromUs) / length);
  return { left, width: Math.max(0, right - left) };
}

/** The view after zooming by `factor` (below 1: closer) around `at` (0 to 1), kept inside of the whole. */
export function zoomed(view: Span, whole: Span, factor: number, at: number): Span {
  const wholeLength = whole.toUs - whole.fromUs;
  const length = Math.min(wholeLength, Math.max(Math.min(10, wholeLength), (view.toUs - view.fromUs) * factor));
  const center = view.fromUs + (view.toUs - view.fromUs) * at;
  const fromUs = Math.min(Math.max(whole.fromUs, center - length * at), whole.toUs - length);
  return { fromUs, toUs: fromUs + length };
}
