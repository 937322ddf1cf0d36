/** By which door trace data came in. */
export type Door = 'http' | 'udp' | 'otlp-http' | 'otlp-grpc' | 'zipkin';

/** Why a datagram was dropped before its document was looked at, or while it waited. */
export type DatagramDrop =
  | 'no-header'
  | 'bad-header'
  | 'empty'
  | 'bad-spans'
  | 'unsampled'
  | 'metrics'
  | 'queue-full'
  | 'store-failed';

/**
 * Counters since the server started. Documents of every door add up:
 * `received = accepted + rejected + refused`; accepted ones are in the store, rejected ones were faulty,
 * refused ones were sound but the queue was full or the store failed.
 */
export type Stats = {
  readonly documents: Record<Door, { received: number; accepted: number; rejected: number; refused: number }>;
  readonly rejections: Map<string, number>;
  readonly datagrams: { received: number; readonly dropped: Map<DatagramDrop, number> };
  readonly requests: Map<string, number>;
  readonly invocations: Map<string, number>;
  /** By the name of the backend that documents are forwarded to. */
  readonly forwards: Map<string, ForwardCounts>;
};

/**
 * Documents for one other backend: `received = sent + rejected + dropped + queued`. Rejected ones that backend did not
 * want; dropped ones it never got, since the queue was full or it could not be reached for too long.
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

export function newStats(): Stats {
  const none = () => ({ received: 0, accepted: 0, rejected: 0, refused: 0 });
  return {
    documents: { http: none(), udp: none(), 'otlp-http': none(), 'otlp-grpc': none(), zipkin: none() },
    rejections: new Map(),
    datagrams: { received: 0, dropped: new Map() },
    requests: new Map(),
    invocations: new Map(),
    forwards: new Map(),
  };
}

export function countOne<Key>(counters: Map<Key, number>, key: Key, by = 1): void {
  counters.set(key, (counters.get(key) ?? 0) + by);
}
