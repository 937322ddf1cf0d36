import { niceStep } from '../../shared/histogram.ts';

/** The part of a trace that the timeline shows, from `firstUs` to `lastUs`, both included; microseconds since 1970. */
export type TimelineView = { readonly firstUs: number; readonly lastUs: number };

/** Ticks at even steps from `originUs`, the start of the trace; `at` is the position in the view from 0 to 1. */
export function axisTicks(
  view: TimelineView,
  originUs: number,
  maxTicks: number,
): readonly { readonly at: number; readonly offsetUs: number }[] {
  const length = view.lastUs - view.firstUs;
  if (length <= 0) return [{ at: 0, offsetUs: view.firstUs - originUs }];
  const step = niceStep(length / maxTicks);
  const ticks: { at: number; offsetUs: number }[] = [];
  const first = Math.max(0, Math.ceil((view.firstUs - originUs) / step - 1e-9));
  for (let index = first; index * step <= view.lastUs - originUs; index += 1) {
    ticks.push({ at: (originUs + index * step - view.firstUs) / length, offsetUs: index * step });
  }
  return ticks;
}

/** Left edge and width of a bar as fractions of the view, cut to the view; undefined outside of it. */
export function barPosition(
  view: TimelineView,
  fromUs: number,
  toUs: number,
): { readonly left: number; readonly width: number } | undefined {
  const length = Math.max(1, view.lastUs - view.firstUs);
  if (toUs < view.firstUs || fromUs > view.lastUs) return undefined;
  const left = Math.max(0, (fromUs - view.firstUs) / length);
  const right = Math.min(1, (toUs - view.firstUs) / length);
  return { left, width: Math.max(0, right - left) };
}

/** The view after zooming by `factor` (below 1: closer) around `at` (0 to 1), kept inside the whole trace. */
export function zoomed(view: TimelineView, whole: TimelineView, factor: number, at: number): TimelineView {
  const wholeLength = whole.lastUs - whole.firstUs;
  const length = Math.min(wholeLength, Math.max(Math.min(10, wholeLength), (view.lastUs - view.firstUs) * factor));
  const center = view.firstUs + (view.lastUs - view.firstUs) * at;
  const firstUs = Math.min(Math.max(whole.firstUs, center - length * at), whole.lastUs - length);
  return { firstUs, lastUs: firstUs + length };
}
