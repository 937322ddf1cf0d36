import type { Document } from '../model/entity.ts';
import { joinedTraces } from '../model/otlp/wire/encode.ts';
import { newForwardCounts, type Stats } from '../stats.ts';
import { createForwardQueue, type ForwardTarget } from './forward-queue.ts';
import { type OtlpSender, openOtlpSender } from './open-otlp-sender.ts';
import type { OtlpEndpoint } from './otlp-endpoint.ts';
import {
  logRequestText,
  type OutboundDocument,
  type OutboundLog,
  type OutboundSpans,
  type OutboundText,
  segmentTextsOf,
  toOutboundLog,
  toOutboundSpans,
  toOutboundText,
  traceRequestText,
} from './outbound-document.ts';
import type { SendResult } from './send-with-retries.ts';
import { openXRaySender, type PutSegments, type XRayTarget } from './xray-sender.ts';

export type ForwardOptions = {
  readonly otlp: OtlpEndpoint | undefined;
  readonly xray: XRayTarget | undefined;
  /** Documents waiting for each of the backends. */
  readonly queueMaxBytes: number;
};

/** Copies what is stored to other backends. */
export type Forwarder = {
  /** Takes documents without waiting; undefined when there is no backend. What can not be sent is counted and never told to the sender. */
  readonly forward: ((documents: readonly Document[]) => void) | undefined;
  close(): Promise<void>;
};

type Route<Kind extends OutboundDocument> = {
  readonly target: ForwardTarget<Kind>;
  readonly accepts: (document: Document) => boolean;
  readonly toOutbound: (document: Document) => Kind;
};

const CLOSE_GRACE_MS = 3_000;
const OTLP_BATCH_MAX_DOCUMENTS = 512;
/** What PutTraceSegments takes in one call. */
const XRAY_BATCH_MAX_DOCUMENTS = 50;

export async function openForwarder(
  { otlp, xray, queueMaxBytes }: ForwardOptions,
  { stats, log }: { readonly stats: Stats; readonly log: { warn(fields: object, sentence: string): void } },
): Promise<Forwarder> {
  const closers: (() => void)[] = [];
  const routes: { take(documents: readonly Document[]): void; close(): Promise<void> }[] = [];
  function open<Kind extends OutboundDocument>({ target, accepts: isFor, toOutbound: parcelOf }: Route<Kind>): void {
    const counts = newForwardCounts();
    stats.forwards.set(target.name, counts);
    const queue = createForwardQueue(target, { maxBytes: queueMaxBytes, counts, log });
    routes.push({
      take(documents) {
        const wanted = documents.filter(isFor);
        if (wanted.length > 0) queue.push(wanted.map(parcelOf));
      },
      close: () => queue.close(CLOSE_GRACE_MS),
    });
  }
  if (otlp !== undefined) {
    const sender = await openOtlpSender(otlp);
    closers.push(sender.close);
    if (otlp.protocol === 'http/json') {
      open(spanJsonRoute(sender));
      open(logJsonRoute(sender));
    } else {
      open(spanRoute(sender));
      open(logRoute(sender));
    }
  }
  if (xray !== undefined) {
    const { put, close } = await openXRaySender(xray);
    closers.push(close);
    open(segmentRoute(put));
  }
  const takeAll = (documents: readonly Document[]) => {
    for (const route of routes) route.take(documents);
  };
  return {
    forward: routes.length > 0 ? takeAll : undefined,
    async close() {
      await Promise.all(routes.map((route) => route.close()));
      for (const close of closers) close();
    },
  };
}

/** OpenTelemetry has no spans in progress: of a segment that is sent twice only the second is told. */
const isForSpans = ({ format, entities }: Document) =>
  format === 'otlp' || (format === 'xray' && entities[0]?.endUs !== undefined);
const isForLogs = ({ format }: Document) => format === 'otlp-log';
/** X-Ray has no place for log records; the exceptions that come with spans go with them. */
const isForXRay = ({ format }: Document) => format !== 'otlp-log';

const SPAN_TARGET = { name: 'otlp', batchMaxDocuments: OTLP_BATCH_MAX_DOCUMENTS, maxConcurrentRequests: 4 };
const LOG_TARGET = { name: 'otlp-logs', batchMaxDocuments: OTLP_BATCH_MAX_DOCUMENTS, maxConcurrentRequests: 1 };

function spanRoute({ send }: OtlpSender): Route<OutboundSpans> {
  return {
    accepts: isForSpans,
    toOutbound: toOutboundSpans,
    target: {
      ...SPAN_TARGET,
      send: (parcels, cancel) => send('traces', joinedTraces(parcels.flatMap(({ groups }) => groups)), cancel),
    },
  };
}

function spanJsonRoute({ send }: OtlpSender): Route<OutboundText> {
  return {
    accepts: isForSpans,
    toOutbound: toOutboundText,
    target: {
      ...SPAN_TARGET,
      send: (parcels, cancel) => send('traces', Buffer.from(traceRequestText(parcels)), cancel),
    },
  };
}

function logRoute({ send }: OtlpSender): Route<OutboundLog> {
  return {
    accepts: isForLogs,
    toOutbound: toOutboundLog,
    target: {
      ...LOG_TARGET,
      send: (parcels, cancel) => send('logs', Buffer.concat(parcels.map(({ message }) => message)), cancel),
    },
  };
}

function logJsonRoute({ send }: OtlpSender): Route<OutboundText> {
  return {
    accepts: isForLogs,
    toOutbound: toOutboundText,
    target: { ...LOG_TARGET, send: (parcels, cancel) => send('logs', Buffer.from(logRequestText(parcels)), cancel) },
  };
}

function segmentRoute(put: PutSegments): Route<OutboundText> {
  return {
    accepts: isForXRay,
    toOutbound: toOutboundText,
    target: {
      name: 'xray',
      batchMaxDocuments: XRAY_BATCH_MAX_DOCUMENTS,
      maxConcurrentRequests: 8,
      send: (parcels, cancel) => putAll(parcels.flatMap(segmentTextsOf), put, cancel),
    },
  };
}

/** A span may take two documents. X-Ray takes one that it has already as well as the first time. */
async function putAll(texts: readonly string[], put: PutSegments, cancel: AbortSignal): Promise<SendResult> {
  let rejected = 0;
  let reason: string | undefined;
  for (let at = 0; at < texts.length; at += XRAY_BATCH_MAX_DOCUMENTS) {
    const delivery = await put(texts.slice(at, at + XRAY_BATCH_MAX_DOCUMENTS), cancel);
    if (delivery.kind !== 'taken') return delivery;
    rejected += delivery.rejected;
    reason ??= delivery.reason;
  }
  return { kind: 'taken', rejected, reason };
}
