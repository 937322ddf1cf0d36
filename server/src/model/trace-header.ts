import type { EntityId, TraceId } from './trace-id.ts';
import { formatTraceId, readEntityId, readTraceId } from './trace-id.ts';

/** `1`: record. `0`: do not record. `?`: the receiver decides and reports it in its response. Absent: it decides. */
export type SampledFlag = '1' | '0' | '?';

/**
 * The content of `X-Amzn-Trace-Id`, Lambda's `_X_AMZN_TRACE_ID` and SQS's `AWSTraceHeader`. `extras` are all other
 * fields in their order, which must be passed on, such as `Self` of load balancers and `Lineage` of Lambda.
 */
export type TraceHeader = {
  readonly root: TraceId | undefined;
  readonly parent: EntityId | undefined;
  readonly sampled: SampledFlag | undefined;
  readonly extras: readonly { readonly key: string; readonly value: string }[];
};

const ZERO_TRACE_ID = '0'.repeat(32);
const ZERO_ID = '0'.repeat(16);

/**
 * Parses a header as leniently as all SDKs together: keys in any case, blanks around fields, any order. An invalid
 * field counts as absent. Of a repeated field the first valid one counts.
 */
export function parseTraceHeader(text: string): TraceHeader {
  let root: TraceId | undefined;
  let parent: EntityId | undefined;
  let sampled: SampledFlag | undefined;
  const extras: { key: string; value: string }[] = [];
  for (const field of text.split(';')) {
    const equals = field.indexOf('=');
    const key = field.slice(0, Math.max(0, equals)).trim();
    const value = field.slice(equals + 1).trim();
    if (key === '') continue;
    switch (key.toLowerCase()) {
      case 'root':
        root ??= readRoot(value);
        break;
      case 'parent':
        parent ??= readParent(value);
        break;
      case 'sampled':
        sampled ??= readSampled(value);
        break;
      default:
        extras.push({ key, value });
    }
  }
  return { root, parent, sampled, extras };
}

/** `Root;Parent;Sampled`, those that are defined, then the extras. */
export function formatTraceHeader({ root, parent, sampled, extras }: TraceHeader): string {
  return [
    ...(root === undefined ? [] : [`Root=${formatTraceId(root)}`]),
    ...(parent === undefined ? [] : [`Parent=${parent}`]),
    ...(sampled === undefined ? [] : [`Sampled=${sampled}`]),
    ...extras.map(({ key, value }) => `${key}=${value}`),
  ].join(';');
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * W3C's `traceparent` as a trace header, undefined if it is invalid. Versions after 00 may have more fields.
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parseTraceparent(text: string): TraceHeader | undefined {
  const [, version, traceText = '', parentText = '', flags = '', rest] = TRACEPARENT.exec(text.trim()) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  const root = readTraceId(traceText);
  const parent = readParent(parentText);
  if (root === undefined || root === ZERO_TRACE_ID || parent === undefined) return undefined;
  return { root, parent, sampled: Number.parseInt(flags, 16) % 2 === 1 ? '1' : '0', extras: [] };
}

/**
 * The trace of a request, from either of its headers. X-Ray's header wins if it names a trace: a sender that writes
 * both gives them the same content.
 */
export function readTraceHeaders(xray: string | undefined, traceparent: string | undefined): TraceHeader {
  const own = parseTraceHeader(xray ?? '');
  if (own.root !== undefined || traceparent === undefined) return own;
  const w3c = parseTraceparent(traceparent);
  return w3c === undefined ? own : { ...w3c, extras: own.extras };
}

/** W3C's `traceparent`; undefined without a root or a parent, which it requires. */
export function formatTraceparent({ root, parent, sampled }: TraceHeader): string | undefined {
  if (root === undefined || parent === undefined) return undefined;
  return `00-${root}-${parent}-${sampled === '1' ? '01' : '00'}`;
}

/** X-Ray's form only. SDKs in Lambda write all zeros if there is no trace. */
function readRoot(value: string): TraceId | undefined {
  const root = value.startsWith('1-') ? readTraceId(value) : undefined;
  return root === ZERO_TRACE_ID ? undefined : root;
}

function readParent(value: string): EntityId | undefined {
  const parent = readEntityId(value);
  return parent === ZERO_ID ? undefined : parent;
}

function readSampled(value: string): SampledFlag | undefined {
  return value === '1' || value === '0' || value === '?' ? value : undefined;
}
