import * as z from 'zod';
import { readTraceId, type TraceId } from '../model/trace-id.ts';

/** A member that clients may leave out or send as null. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema
    .nullish()
    .transform((value): z.output<Schema> | undefined => (value === null ? undefined : (value as z.output<Schema>)));
}

/** Above this a number is milliseconds: the Java SDK's sampling poller sends those. */
const LATEST_SECONDS = 1e11;

/** Epoch seconds with fractions, or RFC 3339 text; whole microseconds inside. */
export const epochSeconds = z
  .union([z.number(), z.iso.datetime({ offset: true }).transform((text) => Date.parse(text) / 1000)], {
    error: 'must be a time: epoch seconds, or text such as 2026-05-24T14:13:20Z',
  })
  .transform((seconds) => Math.round((Math.abs(seconds) > LATEST_SECONDS ? seconds / 1000 : seconds) * 1e6));

/** A trace id in X-Ray's or OpenTelemetry's form. */
export const traceId = z.string().transform((text, context): TraceId => {
  const id = readTraceId(text);
  if (id !== undefined) return id;
  context.addIssue({ code: 'custom', message: `Invalid trace id ${text.slice(0, 64)}: incorrect id format` });
  return z.NEVER;
});

/** Epoch seconds of microseconds; null for undefined. */
export function toSeconds(us: number): number;
export function toSeconds(us: number | undefined): number | null;
export function toSeconds(us: number | undefined): number | null {
  return us === undefined ? null : us / 1e6;
}
