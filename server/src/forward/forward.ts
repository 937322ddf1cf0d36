import type { Document } from '../model/entity.ts';
import { newForwardCounts, type Stats } from '../stats.ts';
import type { Delivery } from './delivery.ts';
import { type OtlpEndpoint, postOtlp } from './otlp-post.ts';
import { logRequestOf, parcelOf, segmentTextsOf, traceRequestOf } from './parcel.ts';
import { createForwardQueue, type ForwardTarget } from './queue.ts';
import { openXRay, type PutSegments, type XRayTarget } from './xray-put.ts';

export type ForwardOptions = {
  readonly otlp: OtlpEndpoint | undefined;
  readonly xray: XRayTarget | undefined;
  /** Documents waiting for each of the backends. */
  readonly queueMaxBytes: number;
};

/** Copies what is stored to other backends. */
export type Forwards = {
  /** Takes documents without waiting. What can not be sent is counted and never told to the sender. */
  take(documents: readonly Document[]): void;
  close(): Promise<void>;
};

type Route = { readonly target: ForwardTarget; readonly isFor: (document: Document) => boolean; close?(): void };

const GRACE_MS = 3_000;
const OTLP_BATCH = 512;
/** What PutTraceSegments takes in one call. */
const XRAY_BATCH = 50;

export async function openForwards(
  { otlp, xray, queueMaxBytes }: ForwardOptions,
  { stats, log }: { readonly stats: Stats; readonly log: { warn(fields: object, sentence: string): void } },
): Promise<Forwards> {
  const routes = [
    ...(otlp === undefined ? [] : [tracesRoute(otlp), logsRoute(otlp)]),
    ...(xray === undefined ? [] : [await xrayRoute(xray)]),
  ];
  const open = routes.map(({ target, isFor, close }) => {
    const counts = newForwardCounts();
    stats.forwards.set(target.name, counts);
    return { queue: createForwardQueue(target, { maxBytes: queueMaxBytes, counts, log }), isFor, close };
  });
  return {
    take(documents) {
      for (const { queue, isFor } of open) {
        const wanted = documents.filter(isFor);
        if (wanted.length > 0) queue.push(wanted.map(parcelOf));
      }
    },
    async close() {
      await Promise.all(open.map(({ queue }) => queue.close(GRACE_MS)));
      for (const { close } of open) close?.();
    },
  };
}

/** OpenTelemetry has no spans in progress: of a segment that is sent twice only the second is told. */
function tracesRoute(endpoint: OtlpEndpoint): Route {
  return {
    isFor: ({ format, entities }) => format === 'otlp' || (format === 'xray' && entities[0]?.endUs !== undefined),
    target: {
      name: 'otlp',
      batchMaxParcels: OTLP_BATCH,
      lanes: 4,
      send: (parcels, cancel) => postOtlp(endpoint, 'traces', traceRequestOf(parcels), cancel),
    },
  };
}

function logsRoute(endpoint: OtlpEndpoint): Route {
  return {
    isFor: ({ format }) => format === 'otlp-log',
    target: {
      name: 'otlp-logs',
      batchMaxParcels: OTLP_BATCH,
      lanes: 1,
      send: (parcels, cancel) => postOtlp(endpoint, 'logs', logRequestOf(parcels), cancel),
    },
  };
}

/** X-Ray has no place for log records; the exceptions that come with spans go with them. */
async function xrayRoute(xray: XRayTarget): Promise<Route> {
  const { put, close } = await openXRay(xray);
  return {
    isFor: ({ format }) => format !== 'otlp-log',
    target: {
      name: 'xray',
      batchMaxParcels: XRAY_BATCH,
      lanes: 8,
      send: (parcels, cancel) => putAll(parcels.flatMap(segmentTextsOf), put, cancel),
    },
    close,
  };
}

/** A span may take two documents. X-Ray takes one that it has already as well as the first time. */
async function putAll(texts: readonly string[], put: PutSegments, cancel: AbortSignal): Promise<Delivery> {
  let rejected = 0;
  let reason: string | undefined;
  for (let at = 0; at < texts.length; at += XRAY_BATCH) {
    const delivery = await put(texts.slice(at, at + XRAY_BATCH), cancel);
    if (delivery.kind !== 'taken') return delivery;
    rejected += delivery.rejected;
    reason ??= delivery.reason;
  }
  return { kind: 'taken', rejected, reason };
}
