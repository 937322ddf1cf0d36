/** Where trace data is received. */
export type Receiver = 'http' | 'udp' | 'otlp-http' | 'otlp-grpc' | 'zipkin';

/**
 * Why a datagram was dropped before its document was parsed. The operating system dropped those with `socket-full`; for
 * those with `memory` the budget of all requests was used up, for those with `queue-full` the queue of the store.
 */
export type DatagramDropReason =
  | 'socket-full'
  | 'no-header'
  | 'bad-header'
  | 'empty'
  | 'bad-spans'
  | 'unsampled'
  | 'metrics'
  | 'memory'
  | 'queue-full';

/** Why a valid document was not stored. Over HTTP and gRPC the sender gets an error and may retry. */
export type DocumentDropReason = 'queue-full' | 'store-failed';

/**
 * Documents of one receiver by result: `received = stored + queued + rejected + dropped`, at any moment. Stored
 * documents are acknowledged, queued ones wait for it, rejected ones are invalid, dropped ones are valid but were not stored.
 */
export type ReceiverCounts = {
  received: number;
  stored: number;
  queued: number;
  rejected: number;
  dropped: number;
};

/** Counters since the start of the server. */
export type Stats = {
  readonly startedUs: number;
  readonly documents: Readonly<Record<Receiver, ReceiverCounts>>;
  /** Requests that were refused before they were read, since the queue was full. None of their documents is counted. */
  readonly refusedRequests: Record<Exclude<Receiver, 'udp'>, number>;
  /** By error code. */
  readonly rejections: Map<string, number>;
  readonly drops: Map<DocumentDropReason, number>;
  /** `received` counts all packets to the port; each one that was not dropped held a document or spans. */
  readonly datagrams: { received: number; readonly dropped: Map<DatagramDropReason, number> };
  /** Data of OpenTelemetry that openray does not store: data points of metrics, and log records without an exception. */
  readonly ignored: { dataPoints: number; logRecords: number };
  readonly requests: Map<string, number>;
  readonly invocations: Map<string, number>;
  /** By the name of the backend that documents are forwarded to. */
  readonly forwards: Map<string, ForwardCounts>;
  /** Traces that the service map has in part, since they are too large, or not at all, since an error prevents it. */
  readonly rollUp: {
    inPart: number;
    skipped: number;
    /** Of the traces that are in it in part: the time in which the documents arrived that are not. The newest of them. */
    readonly missing: Map<string, { readonly fromUs: number; readonly toUs: number }>;
    /** Whether every trace that was rolled up has its summary, and how many have none; undefined before a check. */
    readonly summaries: { isFilled: boolean | undefined; missing: number };
  };
};

/**
 * Documents for one other backend: `received = sent + rejected + dropped + queued`. The backend refused the rejected
 * ones. Dropped ones were not delivered, because the queue was full or the backend was unreachable for too long.
 */
export type ForwardCounts = {
  received: number;
  sent: number;
  rejected: number;
  dropped: number;
  queued: number;
  queuedBytes: number;
  retries: number;
};

export function newForwardCounts(): ForwardCounts {
  return { received: 0, sent: 0, rejected: 0, dropped: 0, queued: 0, queuedBytes: 0, retries: 0 };
}

export function newStats(nowUs: () => number = () => Date.now() * 1000): Stats {
  const none = () => ({ received: 0, stored: 0, queued: 0, rejected: 0, dropped: 0 });
  return {
    startedUs: nowUs(),
    documents: { http: none(), udp: none(), 'otlp-http': none(), 'otlp-grpc': none(), zipkin: none() },
    refusedRequests: { http: 0, 'otlp-http': 0, 'otlp-grpc': 0, zipkin: 0 },
    rejections: new Map(),
    drops: new Map(),
    datagrams: { received: 0, dropped: new Map() },
    ignored: { dataPoints: 0, logRecords: 0 },
    requests: new Map(),
    invocations: new Map(),
    forwards: new Map(),
    rollUp: { inPart: 0, skipped: 0, missing: new Map(), summaries: { isFilled: undefined, missing: 0 } },
  };
}

export function increment<Key>(counters: Map<Key, number>, key: Key, by = 1): void {
  counters.set(key, (counters.get(key) ?? 0) + by);
}
