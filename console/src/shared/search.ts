import { z } from 'zod/mini';
import { DEFAULT_RANGE, readTimeRange } from './time-range.ts';

/** A time range of the URL; anything else becomes the default, so that a mangled link still opens. */
export const rangeParam = z.catch(
  z._default(z.string().check(z.refine((text) => readTimeRange(text) !== undefined)), DEFAULT_RANGE),
  DEFAULT_RANGE,
);

/** A filter expression of the URL. It is not parsed here: a wrong one is shown with its error. */
export const filterParam = z.catch(z._default(z.string(), ''), '');

/** What every page carries along. */
export const rootSearch = z.object({
  range: rangeParam,
  /** Whether pages follow what arrives. */
  live: z.catch(z._default(z.boolean(), true), true),
});
