import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { subscribeTraceEvents } from '../api/openray/trace-events.ts';
import type { StoredNotifications } from '../ingest/stored-notifications.ts';

const KEEP_ALIVE_MS = 15_000;

/** `GET /events`: server-sent events for pages with live data. `stored` names traces that changed, see `TraceEvent`. */
export function serveEvents(app: FastifyInstance, notifications: StoredNotifications): void {
  const streams = new Set<ServerResponse>();
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
    for (const stream of streams) stream.end();
  });
  app.get('/events', (_request, reply) => {
    reply.hijack();
    const stream = reply.raw;
    stream.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    stream.write('retry: 1000\n\n');
    if (isClosing) {
      stream.end();
      return;
    }
    streams.add(stream);
    const unsubscribe = subscribeTraceEvents(notifications, (event) =>
      stream.write(`event: stored\ndata: ${JSON.stringify(event)}\n\n`),
    );
    const keepAlive = setInterval(() => stream.write(': keep-alive\n\n'), KEEP_ALIVE_MS);
    stream.once('close', () => {
      streams.delete(stream);
      unsubscribe();
      clearInterval(keepAlive);
    });
  });
}
