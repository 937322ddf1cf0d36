import { Counter, Gauge, Registry } from 'prom-client';
import type { Stats } from '../stats.ts';
import type { StoreStatistics } from '../store/store.ts';

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** The counters in Prometheus's form, read when they are asked for. */
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
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });

  counter('openray_documents_total', 'Segment documents by door and by what became of them', ['door', 'fate'], () =>
    Object.entries(stats.documents).flatMap(([door, { received, stored, rejected, dropped }]) =>
      Object.entries({ received, stored, rejected, dropped }).map(([fate, value]) => ({
        labels: { door, fate },
        value,
      })),
    ),
  );
  new Gauge({
    name: 'openray_documents_queued',
    help: 'Documents that wait to be stored, by door: received less what became of them',
    labelNames: ['door'],
    registers: [registry],
    collect() {
      for (const [door, { queued }] of Object.entries(stats.documents)) this.set({ door }, queued);
    },
  });
  counter('openray_documents_rejected_total', 'Faulty documents by error code', ['code'], () =>
    byLabel('code', stats.rejections),
  );
  counter('openray_documents_dropped_total', 'Sound documents that were not stored, by cause', ['cause'], () =>
    byLabel('cause', stats.drops),
  );
  counter('openray_datagrams_received_total', 'UDP packets that came to the port', [], () => [
    { labels: {}, value: stats.datagrams.received },
  ]);
  counter('openray_datagrams_dropped_total', 'UDP packets dropped, by cause', ['cause'], () =>
    byLabel('cause', stats.datagrams.dropped),
  );
  counter('openray_requests_total', 'Calls of the X-Ray API by operation', ['operation'], () =>
    byLabel('operation', stats.requests),
  );
  counter('openray_store_documents_total', 'Documents by what the store did with them', ['fate'], () => {
    const { received, stored, refused } = store();
    return Object.entries({ received, stored, refused }).map(([fate, value]) => ({ labels: { fate }, value }));
  });
  counter(
    'openray_forwarded_documents_total',
    'Documents for other backends by what became of them',
    ['target', 'fate'],
    () =>
      [...stats.forwards].flatMap(([target, { received, sent, rejected, dropped }]) =>
        Object.entries({ received, sent, rejected, dropped }).map(([fate, value]) => ({
          labels: { target, fate },
          value,
        })),
      ),
  );
  counter('openray_forward_retries_total', 'Requests to other backends that were tried again', ['target'], () =>
    [...stats.forwards].map(([target, { retries }]) => ({ labels: { target }, value: retries })),
  );
  new Gauge({
    name: 'openray_forward_queue_bytes',
    help: 'Bytes of documents waiting to be forwarded, about',
    labelNames: ['target'],
    registers: [registry],
    collect() {
      for (const [target, { queuedBytes }] of stats.forwards) this.set({ target }, queuedBytes);
    },
  });
  gauge('openray_store_queue_documents', 'Documents waiting for their insert', () => store().queued);
  gauge('openray_store_queue_bytes', 'Bytes of documents waiting for their insert', () => store().queuedBytes);
  return registry;
}

function byLabel(label: string, counters: ReadonlyMap<string, number>): readonly Sample[] {
  return [...counters].map(([name, value]) => ({ labels: { [label]: name }, value }));
}
