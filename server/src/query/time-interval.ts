/** From the first microsecond on, up to but not with the second. */
export type TimeWindow = { readonly fromUs: number; readonly toUs: number };

export function isWithin({ fromUs, toUs }: TimeWindow, us: number): boolean {
  return us >= fromUs && us < toUs;
}
