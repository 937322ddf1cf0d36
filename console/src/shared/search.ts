import { parseSearchWith } from '@tanstack/react-router';
import { z } from 'zod/mini';
import { DEFAULT_RANGE, readTimeRange } from './time-range.ts';

/** A time range of the URL; anything else becomes the default, so that a mangled link still opens. */
export const rangeParam = z.catch(
  z._default(z.string().check(z.refine((text) => readTimeRange(text) !== undefined)), DEFAULT_RANGE),
  DEFAULT_RANGE,
);

/**
 * Reads the search part of a URL. The router takes what looks like JSON for JSON, and so an id such as `12345678e9012345` for
 * infinity; here a number is only what is written as that number is.
 */
export const parseSearch = parseSearchWith((text) => {
  const value: unknown = JSON.parse(text);
  return typeof value === 'number' && String(value) !== text ? text : value;
});

/** A text of the URL, also where it looks like a number or like true and false. */
export const textParam = z.pipe(z.union([z.string(), z.number(), z.boolean()]), z.transform(String));

/** A filter expression of the URL. It is not parsed here: a wrong one is shown with its error. */
export const filterParam = z.catch(z._default(textParam, ''), '');

/** What every page carries along. */
export const rootSearch = z.object({
  range: rangeParam,
  /** Whether pages follow what arrives. */
  live: z.catch(z._default(z.boolean(), true), true),
  /** Name of the group that the map and the list show traces of; empty for all traces. */
  inGroup: z.catch(z._default(textParam, ''), ''),
});
