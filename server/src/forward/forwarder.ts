import type { Document } from '../model/entity.ts';
import { joinedTraces } from '../model/otlp/wire/encode.ts';
import { newForwardCounts, type Stats } from '../stats.ts';
import { createForwardQueue, type ForwardTarget } from './forward-queue.ts';
import { openOtlpSender } from './open-otlp-sender.ts';
import type { OtlpEndpoint } from './otlp-endpoint.ts';
import type { OtlpSender } from './otlp-sender.ts';
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
  /** Bytes of documents that may wait for each backend. */
  readonly queueMaxBytes: number;
};

/** Sends a copy of every stored document to other backends. */
export type Forwarder = {
  /**
   * Returns at once; undefined without a backend. Documents that cannot be sent are counted; their sender sees no
   * error.
   */
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
/** The limit of PutTraceSegments. */
const XRAY_BATCH_MAX_DOCUMENTS = 50;

export async function openForwarder(
  { otlp, xray, queueMaxBytes }: ForwardOptions,
  { stats, log }: { readonly stats: Stats; readonly log: { warn(fields: object, sentence: string): void } },
): Promise<Forwarder> {
  const closers: (() => void)[] = [];
  const routes: { forward(documents: readonly Document[]): void; close(): Promise<void> }[] = [];
  function open<Kind extends OutboundDocument>({ target, accepts, toOutbound }: Route<Kind>): void {
    const counts = newForwardCounts();
    stats.forwards.set(target.name, counts);
    const queue = createForwardQueue(target, { maxBytes: queueMaxBytes, counts, log });
    routes.push({
      forward(documents) {
        const accepted = documents.filter(accepts);
        if (accepted.length > 0) queue.push(accepted.map(toOutbound));
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
  const forwardToAll = (documents: readonly Document[]) => {
    for (const route of routes) route.forward(documents);
  };
  return {
    forward: routes.length > 0 ? forwardToAll : undefined,
    async close() {
      await Promise.all(routes.map((route) => route.close()));
      for (const close of closers) close();
    },
  };
}

/** OpenTelemetry has no spans in progress: a segment is forwarded only once it has ended. */
const isForSpans = ({ format, entities }: Document) =>
  format === 'otlp' || (format === 'xray' && entities[0]?.endUs !== undefined);
const isForLogs = ({ format }: Document) => format === 'otlp-log';
/** X-Ray has no log records. Exceptions that are events of a span are forwarded with the span. */
const isForXRay = ({ format }: Document) => format !== 'otlp-log';

const SPAN_TARGET = { name: 'otlp', batchMaxDocuments: OTLP_BATCH_MAX_DOCUMENTS, maxConcurrentRequests: 4 };
const LOG_TARGET = { name: 'otlp-logs', batchMaxDocuments: OTLP_BATCH_MAX_DOCUMENTS, maxConcurrentRequests: 1 };

function spanRoute({ send }: OtlpSender): Route<OutboundSpans> {
  return {
    accepts: isForSpans,
    toOutbound: toOutboundSpans,
    target: {
      ...SPAN_TARGET,
      send: (batch, cancel) => send('traces', joinedTraces(batch.flatMap(({ groups }) => groups)), cancel),
    },
  };
}

function spanJsonRoute({ send }: OtlpSender): Route<OutboundText> {
  return {
    accepts: isForSpans,
    toOutbound: toOutboundText,
    target: {
      ...SPAN_TARGET,
      send: (batch, cancel) => send('traces', Buffer.from(traceRequestText(batch)), cancel),
    },
  };
}

function logRoute({ send }: OtlpSender): Route<OutboundLog> {
  return {
    accepts: isForLogs,
    toOutbound: toOutboundLog,
    target: {
      ...LOG_TARGET,
      send: (batch, cancel) => send('logs', Buffer.concat(batch.map(({ message }) => message)), cancel),
    },
  };
}

function logJsonRoute({ send }: OtlpSender): Route<OutboundText> {
  return {
    accepts: isForLogs,
    toOutbound: toOutboundText,
    target: { ...LOG_TARGET, send: (batch, cancel) => send('logs', Buffer.from(logRequestText(batch)), cancel) },
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
      send: (batch, cancel) => putAll(batch.flatMap(segmentTextsOf), put, cancel),
    },
  };
}

/** A span may become two documents. A retry sends all documents again: X-Ray accepts duplicates. */
async function putAll(texts: readonly string[], put: PutSegments, cancel: AbortSignal): Promise<SendResult> {
  let rejected = 0;
  let reason: string | undefined;
  for (let at = 0; at < texts.length; at += XRAY_BATCH_MAX_DOCUMENTS) {
    const result = await put(texts.slice(at, at + XRAY_BATCH_MAX_DOCUMENTS), cancel);
    if (result.kind !== 'accepted') return result;
    rejected += result.rejected;
    reason ??= result.reason;
  }
  return { kind: 'accepted', rejected, reason };
}
