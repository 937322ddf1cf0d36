import { Counter, Gauge, Registry } from 'prom-client';
import type { Stats } from '../../stats.ts';
import type { StoreStatistics } from '../../store/store.ts';

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/**
 * The counters in Prometheus's form, read at each request. Per receiver `openray_documents_received_total` is the sum
 * of
 * `openray_documents_total` over its results and of `openray_documents_queued`, see `stats.ts`.
 */
export function newMetricsRegistry(stats: Stats, store: () => StoreStatistics): Registry {
  const registry = new Registry();
  const counter = (name: string, help: string, labelNames: readonly string[], samples: () => readonly Sample[]) =>
    new Counter({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, value } of samples()) this.inc(labels, value);
      },
    });
  const gauge = (name: string, help: string, labelNames: readonly string[], samples: () => readonly Sample[]) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, value } of samples()) this.set(labels, value);
      },
    });

  const receivers = () => Object.entries(stats.documents);
  counter('openray_documents_received_total', 'Segment documents and spans received, by receiver', ['receiver'], () =>
    receivers().map(([receiver, { received }]) => ({ labels: { receiver }, value: received })),
  );
  counter(
    'openray_documents_total',
    'Segment documents and spans, by receiver and result',
    ['receiver', 'result'],
    () =>
      receivers().flatMap(([receiver, { stored, rejected, dropped }]) =>
        byResult({ stored, rejected, dropped }, { receiver }),
      ),
  );
  gauge('openray_documents_queued', 'Documents waiting to be stored, by receiver', ['receiver'], () =>
    receivers().map(([receiver, { queued }]) => ({ labels: { receiver }, value: queued })),
  );
  counter('openray_documents_rejected_total', 'Invalid documents, by error code', ['code'], () =>
    byLabel('code', stats.rejections),
  );
  counter('openray_documents_dropped_total', 'Valid documents that were not stored, by drop reason', ['reason'], () =>
    byLabel('reason', stats.drops),
  );
  counter('openray_datagrams_received_total', 'UDP packets received', [], () => single(stats.datagrams.received));
  counter('openray_datagrams_dropped_total', 'UDP packets dropped, by drop reason', ['reason'], () =>
    byLabel('reason', stats.datagrams.dropped),
  );
  counter('openray_ignored_total', 'Data of OpenTelemetry that is not stored, by kind', ['kind'], () => {
    const { dataPoints, logRecords } = stats.ignored;
    return [
      { labels: { kind: 'metric data point' }, value: dataPoints },
      { labels: { kind: 'log record' }, value: logRecords },
    ];
  });
  counter('openray_requests_total', 'Calls of the X-Ray API, by operation', ['operation'], () =>
    byLabel('operation', stats.requests),
  );

  counter('openray_store_documents_received_total', 'Documents given to the store', [], () => single(store().received));
  counter('openray_store_documents_total', 'Documents that the store acknowledged or refused', ['result'], () => {
    const { stored, refused: dropped } = store();
    return byResult({ stored, dropped });
  });
  gauge('openray_store_queue_documents', 'Documents waiting for their acknowledgement', [], () =>
    single(store().queued),
  );
  gauge('openray_store_queue_bytes', 'Bytes of documents waiting for their insert', [], () =>
    single(store().queuedBytes),
  );
  gauge('openray_store_queue_oldest_seconds', 'Time that the oldest document has waited for its insert', [], () =>
    single(store().oldestWaitingMs / 1000),
  );
  counter(
    'openray_store_replayed_documents_total',
    'Documents of the journal that were inserted at the start',
    [],
    () => single(store().replayed),
  );

  const targets = () => [...stats.forwards];
  counter('openray_forwarded_documents_received_total', 'Documents for other backends', ['target'], () =>
    targets().map(([target, { received }]) => ({ labels: { target }, value: received })),
  );
  counter('openray_forwarded_documents_total', 'Documents for other backends, by result', ['target', 'result'], () =>
    targets().flatMap(([target, { sent, rejected, dropped }]) => byResult({ sent, rejected, dropped }, { target })),
  );
  counter('openray_forward_retries_total', 'Retried requests to other backends', ['target'], () =>
    targets().map(([target, { retries }]) => ({ labels: { target }, value: retries })),
  );
  gauge('openray_forward_queue_bytes', 'Approximate bytes of documents waiting to be forwarded', ['target'], () =>
    targets().map(([target, { queuedBytes }]) => ({ labels: { target }, value: queuedBytes })),
  );
  return registry;
}

function single(value: number): readonly Sample[] {
  return [{ labels: {}, value }];
}

function byResult(
  counts: Readonly<Record<string, number>>,
  labels: Readonly<Record<string, string>> = {},
): readonly Sample[] {
  return Object.entries(counts).map(([result, value]) => ({ labels: { ...labels, result }, value }));
}

function byLabel(label: string, counters: ReadonlyMap<string, number>): readonly Sample[] {
  return [...counters].map(([name, value]) => ({ labels: { [label]: name }, value }));
}
