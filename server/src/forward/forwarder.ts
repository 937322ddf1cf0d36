import type { Document } from '../model/entity.ts';
import { joinedTraces } from '../model/otlp/wire/encode.ts';
import { newForwardCounts, type Stats } from '../stats.ts';
import { createForwardQueue, type ForwardTarget } from './forward-queue.ts';
import { type OtlpSender, openOtlp } from './open-otlp-sender.ts';
import type { OtlpEndpoint } from './otlp-endpoint.ts';
import {
  logParcelOf,
  logRequestText,
  type MessageParcel,
  type Parcel,
  type SpansParcel,
  segmentTextsOf,
  spansParcelOf,
  type TextParcel,
  textParcelOf,
  traceRequestText,
} from './outbound-document.ts';
import type { Delivery } from './send-with-retries.ts';
import { openXRay, type PutSegments, type XRayTarget } from './xray-sender.ts';

export type ForwardOptions = {
  readonly otlp: OtlpEndpoint | undefined;
  readonly xray: XRayTarget | undefined;
  /** Documents waiting for each of the backends. */
  readonly queueMaxBytes: number;
};

/** Copies what is stored to other backends. */
export type Forwards = {
  /** Takes documents without waiting; undefined when there is no backend. What can not be sent is counted and never told to the sender. */
  readonly take: ((documents: readonly Document[]) => void) | undefined;
  close(): Promise<void>;
};

type Route<Kind extends Parcel> = {
  readonly target: ForwardTarget<Kind>;
  readonly isFor: (document: Document) => boolean;
  readonly parcelOf: (document: Document) => Kind;
};

const GRACE_MS = 3_000;
const OTLP_BATCH = 512;
/** What PutTraceSegments takes in one call. */
const XRAY_BATCH = 50;

export async function openForwards(
  { otlp, xray, queueMaxBytes }: ForwardOptions,
  { stats, log }: { readonly stats: Stats; readonly log: { warn(fields: object, sentence: string): void } },
): Promise<Forwards> {
  const closers: (() => void)[] = [];
  const routes: { take(documents: readonly Document[]): void; close(): Promise<void> }[] = [];
  function open<Kind extends Parcel>({ target, isFor, parcelOf }: Route<Kind>): void {
    const counts = newForwardCounts();
    stats.forwards.set(target.name, counts);
    const queue = createForwardQueue(target, { maxBytes: queueMaxBytes, counts, log });
    routes.push({
      take(documents) {
        const wanted = documents.filter(isFor);
        if (wanted.length > 0) queue.push(wanted.map(parcelOf));
      },
      close: () => queue.close(GRACE_MS),
    });
  }
  if (otlp !== undefined) {
    const sender = await openOtlp(otlp);
    closers.push(sender.close);
    if (otlp.protocol === 'http/json') {
      open(spansAsText(sender));
      open(logsAsText(sender));
    } else {
      open(spans(sender));
      open(logs(sender));
    }
  }
  if (xray !== undefined) {
    const { put, close } = await openXRay(xray);
    closers.push(close);
    open(segments(put));
  }
  const takeAll = (documents: readonly Document[]) => {
    for (const route of routes) route.take(documents);
  };
  return {
    take: routes.length > 0 ? takeAll : undefined,
    async close() {
      await Promise.all(routes.map((route) => route.close()));
      for (const close of closers) close();
    },
  };
}

/** OpenTelemetry has no spans in progress: of a segment that is sent twice only the second is told. */
const isSpan = ({ format, entities }: Document) =>
  format === 'otlp' || (format === 'xray' && entities[0]?.endUs !== undefined);
const isLog = ({ format }: Document) => format === 'otlp-log';
/** X-Ray has no place for log records; the exceptions that come with spans go with them. */
const isSegment = ({ format }: Document) => format !== 'otlp-log';

const SPANS = { name: 'otlp', batchMaxParcels: OTLP_BATCH, lanes: 4 };
const LOGS = { name: 'otlp-logs', batchMaxParcels: OTLP_BATCH, lanes: 1 };

function spans({ send }: OtlpSender): Route<SpansParcel> {
  return {
    isFor: isSpan,
    parcelOf: spansParcelOf,
    target: {
      ...SPANS,
      send: (parcels, cancel) => send('traces', joinedTraces(parcels.flatMap(({ groups }) => groups)), cancel),
    },
  };
}

function spansAsText({ send }: OtlpSender): Route<TextParcel> {
  return {
    isFor: isSpan,
    parcelOf: textParcelOf,
    target: { ...SPANS, send: (parcels, cancel) => send('traces', Buffer.from(traceRequestText(parcels)), cancel) },
  };
}

function logs({ send }: OtlpSender): Route<MessageParcel> {
  return {
    isFor: isLog,
    parcelOf: logParcelOf,
    target: {
      ...LOGS,
      send: (parcels, cancel) => send('logs', Buffer.concat(parcels.map(({ message }) => message)), cancel),
    },
  };
}

function logsAsText({ send }: OtlpSender): Route<TextParcel> {
  return {
    isFor: isLog,
    parcelOf: textParcelOf,
    target: { ...LOGS, send: (parcels, cancel) => send('logs', Buffer.from(logRequestText(parcels)), cancel) },
  };
}

function segments(put: PutSegments): Route<TextParcel> {
  return {
    isFor: isSegment,
    parcelOf: textParcelOf,
    target: {
      name: 'xray',
      batchMaxParcels: XRAY_BATCH,
      lanes: 8,
      send: (parcels, cancel) => putAll(parcels.flatMap(segmentTextsOf), put, cancel),
    },
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
