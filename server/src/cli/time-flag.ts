import { OpenrayError } from '../errors.ts';

/** Meaning of the flags of a time range. */
export const START_TIME = 'start of the time range: an ISO time, or 10m for ten minutes ago';
export const END_TIME = 'end of the time range: an ISO time, or 10m for ten minutes ago';

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Reads `10m`, `10min ago`, an ISO time, or `now` as epoch seconds. Throws InvalidRequestException. */
export function readTime(text: string, nowMs = Date.now()): number {
  if (text === 'now') return nowMs / 1000;
  const ago = /^(\d+)\s*(s|m|h|d)[a-z]*(?:\s+ago)?$/i.exec(text.trim());
  if (ago?.[1] !== undefined && ago[2] !== undefined) {
    return nowMs / 1000 - Number(ago[1]) * (UNITS[ago[2].toLowerCase()] as number);
  }
  const ms = Date.parse(text);
  if (!Number.isNaN(ms)) return ms / 1000;
  throw new OpenrayError('InvalidRequestException', `not a time: "${text}"; write 10m, 2h, 1d or 2026-05-24T14:13:20Z`);
}
