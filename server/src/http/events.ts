import type { FastifyInstance } from 'fastify';
import type { StoredNotifications } from '../ingest/stored-notifications.ts';
import { formatTraceId, type TraceId } from '../model/trace-id.ts';

const MIN_EVENT_INTERVAL_MS = 500;
const KEEP_ALIVE_MS = 15_000;
const MAX_IDS = 100;

/**
 * `GET /events`: server-sent events for pages that show live data. `received` comes at most twice a second and names
 * traces that changed, up to a hundred of them.
 */
export function serveEvents(app: FastifyInstance, arrivals: StoredNotifications): void {
  app.get('/events', (_request, reply) => {
    reply.hijack();
    const stream = reply.raw;
    stream.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    stream.write('retry: 1000\n\n');

    const changed = new Set<TraceId>();
    let timer: NodeJS.Timeout | undefined;
    const send = () => {
      timer = undefined;
      const traceIds = [...changed].slice(0, MAX_IDS).map(formatTraceId);
      const data = JSON.stringify({ traces: changed.size, traceIds, atUs: Date.now() * 1000 });
      changed.clear();
      stream.write(`event: received\ndata: ${data}\n\n`);
    };
    const unsubscribe = arrivals.subscribe((ids) => {
      for (const id of ids) if (changed.size < 10 * MAX_IDS) changed.add(id);
      timer ??= setTimeout(send, MIN_EVENT_INTERVAL_MS);
    });
    const keepAlive = setInterval(() => stream.write(': still here\n\n'), KEEP_ALIVE_MS);
    stream.once('close', () => {
      unsubscribe();
      clearTimeout(timer);
      clearInterval(keepAlive);
    });
  });
}
