import type { TracesData } from '../model/otlp/types.ts';
import type { DatagramDropReason } from '../stats.ts';
import { decodeTraces } from './otlp-protobuf.ts';

export type Datagram =
  | { readonly ok: true; readonly kind: 'document'; readonly text: string }
  | { readonly ok: true; readonly kind: 'spans'; readonly data: TracesData }
  | { readonly ok: false; readonly dropReason: DatagramDropReason; readonly message: string };

const NEWLINE = 0x0a;

/**
 * One packet of the X-Ray daemon's protocol: `{"format":"json","version":1}`, a newline, one JSON document. AWS's
 * distribution of OpenTelemetry sends spans in its place: `T1S`, then a binary OTLP request in base64. What it did not
 * sample begins with `T1U`, in the same encoding: Lambda's daemon counts it for Application Signals, and it is no trace
 * unless `takesUnsampled`. `M1` are metrics. (The attribute `aws.trace.flag.sampled` is another thing: with 0 it marks spans of
 * anomalies, sent to be seen.)
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
 */
export function readDatagram(bytes: Buffer, { takesUnsampled = false } = {}): Datagram {
  const end = bytes.indexOf(NEWLINE);
  if (end < 0) return dropped('no-header', 'no newline after a header');
  const header = bytes.toString('utf8', 0, Math.min(end, 256));
  const reason = headerError(header);
  if (reason !== undefined) return dropped('bad-header', reason);
  const text = bytes.toString('utf8', end + 1);
  if (text.trim() === '') return dropped('empty', 'no document after the header');
  if (text.startsWith(METRICS_PREFIX)) return dropped('metrics', 'metrics of OpenTelemetry');
  const isUnsampled = text.startsWith(UNSAMPLED_PREFIX);
  if (isUnsampled && !takesUnsampled) return dropped('unsampled', 'spans that were not sampled');
  if (isUnsampled || text.startsWith(SAMPLED_PREFIX)) return readSpans(text.slice(SAMPLED_PREFIX.length));
  return { ok: true, kind: 'document', text };
}

const SAMPLED_PREFIX = 'T1S';
const UNSAMPLED_PREFIX = 'T1U';
const METRICS_PREFIX = 'M1';

function readSpans(base64: string): Datagram {
  try {
    return { ok: true, kind: 'spans', data: decodeTraces(Buffer.from(base64, 'base64')) };
  } catch (thrown) {
    return dropped('bad-spans', (thrown as Error).message);
  }
}

function headerError(text: string): string | undefined {
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

function dropped(cause: DatagramDropReason, reason: string): Datagram {
  return { ok: false, dropReason: cause, message: reason };
}
