import { decodeTraces } from '../model/otlp/wire/decode.ts';
import type { TracesData } from '../model/otlp-messages.ts';
import type { DatagramDropReason } from '../stats.ts';

export type Datagram =
  | { readonly ok: true; readonly kind: 'document'; readonly text: string }
  | { readonly ok: true; readonly kind: 'spans'; readonly data: TracesData }
  | { readonly ok: false; readonly dropReason: DatagramDropReason; readonly message: string };

const NEWLINE = 0x0a;
const MAX_HEADER_BYTES = 256;
/** The last valid one. Senders repeat it, and parsing it costs as much as all else here. */
let lastHeader: string | undefined;

/**
 * One packet of the X-Ray daemon's protocol: `{"format":"json","version":1}`, a newline, one JSON document. AWS's
 * distribution of OpenTelemetry sends spans in place of the document: `T1S`, then a binary OTLP request in base64.
 * Unsampled spans begin with `T1U`, in the same encoding: Lambda's daemon counts them for Application Signals. They are
 * dropped unless `acceptsUnsampled`. `M1` are metrics. (The attribute `aws.trace.flag.sampled` is unrelated: the value 0
 * marks spans of anomalies, which are sent to be shown.)
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
 */
export function readDatagram(bytes: Buffer, { acceptsUnsampled = false } = {}): Datagram {
  const end = bytes.indexOf(NEWLINE);
  if (end < 0) return dropped('no-header', 'no newline after a header');
  const header = bytes.toString('utf8', 0, Math.min(end, MAX_HEADER_BYTES));
  if (header !== lastHeader) {
    const error = headerError(header);
    if (error !== undefined) return dropped('bad-header', error);
    lastHeader = header;
  }
  const text = bytes.toString('utf8', end + 1);
  if (text.trim() === '') return dropped('empty', 'no document after the header');
  if (text.startsWith(METRICS_PREFIX)) return dropped('metrics', 'metrics of OpenTelemetry');
  const isUnsampled = text.startsWith(UNSAMPLED_PREFIX);
  if (isUnsampled && !acceptsUnsampled) return dropped('unsampled', 'unsampled spans');
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
  if (typeof format !== 'string' || format.toLowerCase() !== 'json') return 'the format in the header is not json';
  return version === 1 ? undefined : 'the version in the header is not 1';
}

function dropped(dropReason: DatagramDropReason, message: string): Datagram {
  return { ok: false, dropReason, message };
}
