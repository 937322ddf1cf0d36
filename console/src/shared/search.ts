import { parseSearchWith } from '@tanstack/react-router';
import { z } from 'zod/mini';
import { DEFAULT_RANGE, readTimeRange } from './time-range.ts';

/** A time range of the URL; invalid text becomes the default, so that a damaged link still opens. */
export const rangeParam = z.catch(
  z._default(z.string().check(z.refine((text) => readTimeRange(text) !== undefined)), DEFAULT_RANGE),
  DEFAULT_RANGE,
);

/**
 * Reads the search part of a URL. The router reads each value as JSON where it can, which makes an id such as
 * `12345678e9012345` infinity. Here a value is a number only if that number is printed as the same text.
 */
export const parseSearch = parseSearchWith((text) => {
  const value: unknown = JSON.parse(text);
  return typeof value === 'number' && String(value) !== text ? text : value;
});

/** A text of the URL, also where it looks like a number or a boolean. */
export const textParam = z.pipe(z.union([z.string(), z.number(), z.boolean()]), z.transform(String));

/** A filter expression of the URL. It is not parsed here: an invalid one is shown with its error. */
export const filterParam = z.catch(z._default(textParam, ''), '');

/** Search parameters of every page. */
export const rootSearch = z.object({
  range: rangeParam,
  /** Whether pages refresh when documents are stored. */
  live: z.catch(z._default(z.boolean(), true), true),
  /** Name of the group whose traces the map and the list show; empty for all traces. */
  inGroup: z.catch(z._default(textParam, ''), ''),
});
