import type { EntityId, TraceId } from './trace-id.ts';
import { formatTraceId, readEntityId, readTraceId } from './trace-id.ts';

/** `1` record, `0` do not, `?` the receiver decides and says so in its answer; absent: the receiver decides. */
export type SampledFlag = '1' | '0' | '?';

/**
 * What `X-Amzn-Trace-Id`, Lambda's `_X_AMZN_TRACE_ID` and SQS's `AWSTraceHeader` say. `extras` are all other fields in
 * their order, to be passed on (`Self` of load balancers and `Lineage` of Lambda among them).
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
 * Reads a header as leniently as the SDKs together: keys in any case, blanks around fields, any order. A field that is
 * not valid counts as absent instead of spoiling the others; of a repeated one the first valid counts.
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

/** `Root;Parent;Sampled`, as far as they are there, then the extras. */
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
 * W3C's `traceparent` as a trace header, undefined when it is not valid. Later versions than 00 may carry more.
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
 * What a request says of its trace, in either of its headers. X-Ray's own counts where it names a trace: whoever writes
 * both means the same by them.
 */
export function readTraceHeaders(xray: string | undefined, traceparent: string | undefined): TraceHeader {
  const own = parseTraceHeader(xray ?? '');
  if (own.root !== undefined || traceparent === undefined) return own;
  const w3c = parseTraceparent(traceparent);
  return w3c === undefined ? own : { ...w3c, extras: own.extras };
}

/** W3C's `traceparent`; undefined without a root and a parent, which it can not do without. */
export function formatTraceparent({ root, parent, sampled }: TraceHeader): string | undefined {
  if (root === undefined || parent === undefined) return undefined;
  return `00-${root}-${parent}-${sampled === '1' ? '01' : '00'}`;
}

/** X-Ray's form only; all zeros is how SDKs in Lambda write that there is no trace. */
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
