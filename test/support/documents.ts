import { randomBytes } from 'node:crypto';

export const entityId = () => randomBytes(8).toString('hex');

/** `1-…` id whose first part is now, as X-Ray's SDKs make them. */
export const traceId = () =>
  `1-${Math.floor(Date.now() / 1000)
    .toString(16)
    .padStart(8, '0')}-${randomBytes(12).toString('hex')}`;

export type Fields = Readonly<Record<string, unknown>>;

/** A finished segment of 100 ms that began a second ago. */
export function segment(
  fields: Fields = {},
): Fields & { id: string; trace_id: string; start_time: number; end_time: number } {
  const start = Date.now() / 1000 - 1;
  return {
    name: 'shop',
    id: entityId(),
    trace_id: traceId(),
    start_time: start,
    end_time: start + 0.1,
    ...fields,
  } as Fields & { id: string; trace_id: string; start_time: number; end_time: number };
}

/** The last five minutes and the next one, for a list. */
export const aroundNow = () => ({
  StartTime: new Date(Date.now() - 300_000),
  EndTime: new Date(Date.now() + 60_000),
});
