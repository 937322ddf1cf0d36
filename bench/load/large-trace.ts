import { type Random, seededRandom } from './random.ts';

/** Subsegments of a segment: with more, its document exceeds X-Ray's size limit. */
const SUBSEGMENTS = 49;
const SPANS_A_REQUEST = 2_000;
const SERVICES = ['orders', 'prices', 'stock', 'mail', 'search', 'users', 'payments', 'export'];
const WORK = ['validate', 'load rows', 'SELECT orders', 'render', 'GET /prices', 'cache', 'retry', 'serialize'];
const LENGTH_SECONDS = 60;

export type LargeTrace = { readonly id: string; readonly documents: readonly string[] };

/**
 * One batch job in the documents of X-Ray's SDKs: a root, and below it segments of services that call each other four
 * levels deep, with 49 subsegments each. `size` counts segments and subsegments.
 */
export function traceOfSegments(size: number): LargeTrace {
  const random = seededRandom(1, 1);
  const { id, startSeconds } = newTrace(random);
  const documents: string[] = [];
  const callers: string[] = [];
  for (let count = 0; count < size; count += SUBSEGMENTS + 1) {
    const start = startSeconds + (count / size) * LENGTH_SECONDS;
    const calls: string[] = [];
    const below = (parentStart: number, number: number) => {
      const isCall = number % 7 === 0;
      const subsegment = {
        id: random.hex(16),
        ...pieceOfWork(random, parentStart),
        ...(isCall && { namespace: 'remote' }),
      };
      if (isCall) calls.push(subsegment.id);
      return subsegment;
    };
    const groups = Array.from({ length: 7 }, (_, group) => {
      const parent = below(start, 1);
      const children = Array.from({ length: SUBSEGMENTS / 7 - 1 }, (_, index) =>
        below(parent.start_time, group + index),
      );
      return { ...parent, subsegments: children };
    });
    const caller = callers.length === 0 ? undefined : callers.splice(random.below(Math.min(4, callers.length)), 1)[0];
    documents.push(
      JSON.stringify({
        trace_id: id,
        id: random.hex(16),
        ...(caller !== undefined && { parent_id: caller }),
        name: count === 0 ? 'nightly-batch' : random.pick(SERVICES),
        start_time: start,
        end_time: start + 1 + random.share() * 4,
        http: { request: { method: 'POST', url: 'https://shop.example/batch' }, response: { status: 200 } },
        annotations: { shard: random.below(16), tenant: `tenant-${random.below(50)}` },
        ...(random.below(50) === 0 && { fault: true }),
        subsegments: groups,
      }),
    );
    callers.push(...calls);
  }
  return { id, documents };
}

/** The same job in the requests of OpenTelemetry's exporters: OTLP/JSON, one resource a service. */
export function traceOfSpans(size: number): { readonly id: string; readonly requests: readonly object[] } {
  const random = seededRandom(1, 2);
  const { id, startSeconds } = newTrace(random);
  const traceId = id.slice(2).replace('-', '');
  const requests: object[] = [];
  const parents: string[] = [];
  for (let first = 0; first < size; first += SPANS_A_REQUEST) {
    const spans = Array.from({ length: Math.min(SPANS_A_REQUEST, size - first) }, (_, index) => {
      const spanId = random.hex(16);
      const isServer = (first + index) % (SUBSEGMENTS + 1) === 0;
      const parentSpanId = parents[Math.max(0, parents.length - 1 - random.below(20))];
      if (isServer || random.below(4) === 0) parents.push(spanId);
      const { name, start_time, end_time } = pieceOfWork(
        random,
        startSeconds + ((first + index) / size) * LENGTH_SECONDS,
      );
      return {
        traceId,
        spanId,
        ...(parentSpanId !== undefined && { parentSpanId }),
        name,
        kind: isServer ? 2 : 1,
        flags: isServer ? 0x301 : 0x101,
        startTimeUnixNano: nanos(start_time),
        endTimeUnixNano: nanos(end_time),
        attributes: [
          { key: 'tenant.id', value: { stringValue: `tenant-${random.below(50)}` } },
          { key: 'batch.rows', value: { intValue: String(random.below(1000)) } },
          { key: 'code.function.name', value: { stringValue: name } },
        ],
        ...(random.below(20) === 0 && { events: [{ name: 'retry', timeUnixNano: nanos(start_time + 0.001) }] }),
      };
    });
    const service = SERVICES[(first / SPANS_A_REQUEST) % SERVICES.length];
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
    requests.push({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'batch' }, spans }] }] });
  }
  return { id, requests };
}

function newTrace(random: Random): { readonly id: string; readonly startSeconds: number } {
  const startSeconds = Math.floor(Date.now() / 1000) - 2 * LENGTH_SECONDS;
  return { id: `1-${startSeconds.toString(16)}-${random.hex(24)}`, startSeconds };
}

function pieceOfWork(random: Random, parentStart: number) {
  const start_time = parentStart + random.share() * 0.2;
  return { name: random.pick(WORK), start_time, end_time: start_time + 0.001 + random.share() * 0.5 };
}

function nanos(seconds: number): string {
  return `${Math.round(seconds * 1e6)}000`;
}
