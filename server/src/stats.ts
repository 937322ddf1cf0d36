/** By which door trace data came in. */
export type Door = 'http' | 'udp' | 'otlp-http' | 'otlp-grpc';

/** Why a datagram was dropped before its document was looked at, or while it waited. */
export type DatagramDrop = 'no-header' | 'bad-header' | 'empty' | 'queue-full' | 'store-failed';

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
};

export function newStats(): Stats {
  const none = () => ({ received: 0, accepted: 0, rejected: 0, refused: 0 });
  return {
    documents: { http: none(), udp: none(), 'otlp-http': none(), 'otlp-grpc': none() },
    rejections: new Map(),
    datagrams: { received: 0, dropped: new Map() },
    requests: new Map(),
    invocations: new Map(),
  };
}

export function countOne<Key>(counters: Map<Key, number>, key: Key, by = 1): void {
  counters.set(key, (counters.get(key) ?? 0) + by);
}
