import { randomBytes } from 'node:crypto';

export const entityId = () => randomBytes(8).toString('hex');

/** A new id in X-Ray's format, `1-…`, with the current time in its first part. */
export const traceId = () =>
  `1-${Math.floor(Date.now() / 1000)
    .toString(16)
    .padStart(8, '0')}-${randomBytes(12).toString('hex')}`;

export type Fields = Readonly<Record<string, unknown>>;

/** A finished segment of 100 ms that started a second ago. */
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

/** Time range of a list: the last five minutes and the next one. */
export const aroundNow = () => ({
  StartTime: new Date(Date.now() - 300_000),
  EndTime: new Date(Date.now() + 60_000),
});
