import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import { type EventLoopDelay, type Metrics, type MetricsContext, newMetrics } from '../api/openray/metrics.ts';

/** The timer of the monitor costs 0.07 % of a core at this interval, and 0.5 % at Node's default of 10 ms. */
const RESOLUTION_MS = 100;
/** The monitor stops at this time after a reading of the metrics: it wakes an idle server more often than all else. */
const MONITORED_MS = 300_000;

/** The metrics of all ports of a server. */
export function openMetrics(context: Omit<MetricsContext, 'eventLoopDelay'>): Metrics {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const stopping = setTimeout(() => delays.disable(), MONITORED_MS).unref();
  /** Since the last call; zero at the first one. The monitor's values contain its own interval. */
  const eventLoopDelay = (): EventLoopDelay => {
    delays.enable();
    stopping.refresh();
    const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000);
    const p50 = seconds(delays.percentile(50));
    const p99 = seconds(delays.percentile(99));
    const max = delays.max > 0 ? seconds(delays.max) : 0;
    delays.reset();
    return { p50, p99, max };
  };
  return newMetrics({ ...context, eventLoopDelay });
}

export function serveMetrics(app: FastifyInstance, metrics: Metrics): void {
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.read()));
}

/** Measures each request, from its first line to the end of its response. A stream of events is no request. */
export function measureRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    if (route === '/events') return;
    metrics.observeRequest(route, `${Math.floor(reply.statusCode / 100)}xx`, reply.elapsedTime / 1000);
  });
}
