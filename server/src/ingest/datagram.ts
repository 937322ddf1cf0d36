import type { DatagramDrop } from '../stats.ts';

export type Datagram =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly drop: DatagramDrop; readonly reason: string };

const NEWLINE = 0x0a;

/**
 * One packet of the X-Ray daemon's protocol: `{"format":"json","version":1}`, a newline, one JSON document.
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
 */
export function readDatagram(bytes: Buffer): Datagram {
  const end = bytes.indexOf(NEWLINE);
  if (end < 0) return drop('no-header', 'no newline after a header');
  const header = bytes.toString('utf8', 0, Math.min(end, 256));
  const reason = faultOfHeader(header);
  if (reason !== undefined) return drop('bad-header', reason);
  const text = bytes.toString('utf8', end + 1);
  return text.trim() === '' ? drop('empty', 'no document after the header') : { ok: true, text };
}

function faultOfHeader(text: string): string | undefined {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    return 'the header is not JSON';
  }
  if (typeof header !== 'object' || header === null) return 'the header is not an object';
  const { format, version } = header as { format?: unknown; version?: unknown };
  if (typeof format !== 'string' || format.toLowerCase() !== 'json') return 'the header does not say format json';
  return version === 1 ? undefined : 'the header does not say version 1';
}

function drop(cause: DatagramDrop, reason: string): Datagram {
  return { ok: false, drop: cause, reason };
}
