import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { MemoryBudget } from '../../ingest/memory-budget.ts';
import { rollUpLagUs } from '../../query/service-graph/roll-up-lag.ts';
import type { Stats } from '../../stats.ts';
import type { EngineProcessStatus } from '../../store/engine/engine.ts';
import type { EngineStatistics, Store } from '../../store/store.ts';

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** Seconds by which timers were late since the last request of the metrics. */
export type EventLoopDelay = { readonly p50: number; readonly p99: number; readonly max: number };

export type MetricsContext = {
  readonly stats: Stats;
  readonly store: Store;
  readonly memory: MemoryBudget;
  readonly eventLoopDelay: () => EventLoopDelay;
};

export type Metrics = {
  readonly contentType: string;
  /** All metrics in Prometheus's form. */
  read(): Promise<string>;
  /** `route` is a pattern and never a path, so that there are few. */
  observeRequest(route: string, status: string, seconds: number): void;
};

/** Bounds of response times in seconds. */
const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const SAMPLE_TIMEOUT_MS = 2_000;

type EngineUsage = NonNullable<EngineProcessStatus['usage']>;

/** Read from ClickHouse at each request; undefined if it does not answer. */
type Sampled = { readonly engine: EngineStatistics; readonly rollUpLagS: number };

async function sample(store: Store): Promise<Sampled | undefined> {
  const options = { signal: AbortSignal.timeout(SAMPLE_TIMEOUT_MS), onIncomplete: () => undefined };
  try {
    const [engine, lagUs] = await Promise.all([store.engineStatistics(options), rollUpLagUs(store, options)]);
    return { engine, rollUpLagS: lagUs / 1e6 };
  } catch {
    return undefined;
  }
}

/**
 * Metrics in Prometheus's form. Counters and gauges are read at each request, and nothing is measured between requests
 * but response times and the event loop. Per receiver `openray_documents_received_total` is the sum of
 * `openray_documents_total` over its results and of `openray_documents_queued`, see `stats.ts`.
 */
export function newMetrics({ stats, store: opened, memory, eventLoopDelay }: MetricsContext): Metrics {
  const store = () => opened.statistics();
  let sampled: Sampled | undefined;
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
  counter(
    'openray_requests_refused_total',
    'Requests refused before they were read, since the queue was full, by receiver',
    ['receiver'],
    () => Object.entries(stats.refusedRequests).map(([receiver, value]) => ({ labels: { receiver }, value })),
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
  counter(
    'openray_store_replayed_documents_total',
    'Documents of the journal that were inserted at the start',
    [],
    () => single(store().replayed),
  );

  gauge('openray_request_memory_max_bytes', 'Budget of the memory of all requests', [], () => single(memory.maxBytes));
  gauge('openray_request_memory_bytes', 'Memory of requests, reserved by estimate, by owner', ['owner'], () =>
    Object.entries(memory.used()).map(([owner, value]) => ({ labels: { owner }, value })),
  );

  counter(
    'openray_roll_up_limited_traces_total',
    'Traces that the service map counts in part or not at all, by extent',
    ['counted'],
    () => [
      { labels: { counted: 'first part' }, value: stats.rollUp.inPart },
      { labels: { counted: 'nothing' }, value: stats.rollUp.skipped },
    ],
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

  const requests = new Histogram({
    name: 'openray_http_request_duration_seconds',
    help: 'Response times of HTTP, by route and class of the status',
    labelNames: ['route', 'status'],
    buckets: BUCKETS,
    registers: [registry],
  });
  gauge('openray_event_loop_delay_seconds', 'Delay of timers since the last scrape', ['quantile'], () => {
    const { p50, p99, max } = eventLoopDelay();
    return Object.entries({ '0.5': p50, '0.99': p99, '1': max }).map(([quantile, value]) => ({
      labels: { quantile },
      value,
    }));
  });
  let engineUsage: EngineUsage | undefined;
  gauge('openray_memory_bytes', "Memory by owner; resident is of the server's process", ['owner'], () =>
    memoryByOwner(sampled, engineUsage).map(([owner, value]) => ({ labels: { owner }, value })),
  );
  counter('openray_cpu_seconds_total', "CPU time of the server's process", ['mode'], () => {
    const { user, system } = process.cpuUsage();
    return byLabelOf('mode', { user: user / 1e6, system: system / 1e6 });
  });
  counter('openray_engine_cpu_seconds_total', 'CPU time of the process of the engine', ['mode'], () =>
    engineUsage ? byLabelOf('mode', engineUsage.cpuSeconds) : [],
  );
  counter('openray_engine_restarts_total', 'Restarts of the process of the engine', [], () =>
    optional(opened.engineProcess()?.restarts),
  );
  gauge('openray_store_queue_age_seconds', 'Time for which the oldest queued document has waited', [], () =>
    single(store().oldestWaitingMs / 1000),
  );
  gauge('openray_engine_up', '1 if ClickHouse answered this scrape', [], () => single(sampled ? 1 : 0));
  gauge('openray_engine_parts', 'Parts of tables on disk', [], () => optional(sampled?.engine.parts));
  gauge('openray_engine_merges', 'Running merges of parts', [], () => optional(sampled?.engine.merges));
  gauge('openray_roll_up_lag_seconds', 'Time since the oldest document arrived that is not rolled up', [], () =>
    optional(sampled?.rollUpLagS),
  );

  return {
    contentType: registry.contentType,
    async read() {
      sampled = await sample(opened);
      engineUsage = opened.engineProcess()?.usage;
      return registry.metrics();
    },
    observeRequest: (route, status, seconds) => requests.observe({ route, status }, seconds),
  };
}

/** The owners overlap only with `resident`, and `engine` with `engine-resident`. */
function memoryByOwner(
  sampled: Sampled | undefined,
  engineUsage: EngineUsage | undefined,
): readonly (readonly [string, number])[] {
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return [
    ['resident', rss],
    ['heap', heapUsed],
    ['external', external - arrayBuffers],
    ['buffers', arrayBuffers],
    ...(sampled ? ([['engine', sampled.engine.memoryBytes]] as const) : []),
    ...(engineUsage ? ([['engine-resident', engineUsage.residentBytes]] as const) : []),
  ];
}

const optional = (value: number | undefined): readonly Sample[] => (value === undefined ? [] : single(value));

function single(value: number): readonly Sample[] {
  return [{ labels: {}, value }];
}

function byResult(
  counts: Readonly<Record<string, number>>,
  labels: Readonly<Record<string, string>> = {},
): readonly Sample[] {
  return Object.entries(counts).map(([result, value]) => ({ labels: { ...labels, result }, value }));
}

function byLabelOf(label: string, values: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

function byLabel(label: string, counters: ReadonlyMap<string, number>): readonly Sample[] {
  return [...counters].map(([name, value]) => ({ labels: { [label]: name }, value }));
}
