import { fromThrough, isEmpty, type TimeInterval } from 'openray/model';
import { niceStep } from '../../shared/histogram.ts';

/** The whole timeline of a trace; one microsecond for a trace without a duration. The ends of a zoomed view are fractions. */
export function wholeTimeline({ startUs, endUs }: { readonly startUs: number; readonly endUs: number }): TimeInterval {
  const whole = { fromUs: startUs, toUs: endUs };
  return isEmpty(whole) ? fromThrough(startUs, startUs) : whole;
}

/** Ticks at even steps from `originUs`, the start of the trace; `at` is the position in the view from 0 to 1. */
export function axisTicks(
  view: TimeInterval,
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

/** Left edge and width of a bar as fractions of the view, cut to the view; undefined outside of it. */
export function barPosition(
  view: TimeInterval,
  fromUs: number,
  toUs: number,
): { readonly left: number; readonly width: number } | undefined {
  const length = Math.max(1, view.toUs - view.fromUs);
  if (toUs < view.fromUs || fromUs > view.toUs) return undefined;
  const left = Math.max(0, (fromUs - view.fromUs) / length);
  const right = Math.min(1, (toUs - view.fromUs) / length);
  return { left, width: Math.max(0, right - left) };
}

/** The view after zooming by `factor` (below 1: closer) around `at` (0 to 1), kept inside the whole trace. */
export function zoomed(view: TimeInterval, whole: TimeInterval, factor: number, at: number): TimeInterval {
  const wholeLength = whole.toUs - whole.fromUs;
  const length = Math.min(wholeLength, Math.max(Math.min(10, wholeLength), (view.toUs - view.fromUs) * factor));
  const center = view.fromUs + (view.toUs - view.fromUs) * at;
  const fromUs = Math.min(Math.max(whole.fromUs, center - length * at), whole.toUs - length);
  return { fromUs, toUs: fromUs + length };
}
