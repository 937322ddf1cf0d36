import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { subscribeTraceEvents } from '../api/openray/trace-events.ts';
import type { StoredNotifications } from '../ingest/stored-notifications.ts';

const KEEP_ALIVE_MS = 15_000;
/** Events that wait for a slow reader, beside those in buffers of the system. A closed page connects again. */
const MAX_UNREAD_BYTES = 256 * 1024;

type EventLog = { info(fields: object, sentence: string): void };

/** `GET /events`: server-sent events for pages with live data. `stored` names traces that changed, see `TraceEvent`. */
export function serveEvents(app: FastifyInstance, notifications: StoredNotifications, log: EventLog): void {
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
    const send = (text: string) => writeOrClose(stream, text, log);
    const unsubscribe = subscribeTraceEvents(notifications, (event) =>
      send(`event: stored\ndata: ${JSON.stringify(event)}\n\n`),
    );
    const keepAlive = setInterval(() => send(': keep-alive\n\n'), KEEP_ALIVE_MS);
    stream.once('close', () => {
      streams.delete(stream);
      unsubscribe();
      clearInterval(keepAlive);
    });
  });
}

/** Closes the stream of a reader that is so slow that more than MAX_UNREAD_BYTES wait for it. */
export function writeOrClose(
  stream: Pick<ServerResponse, 'write' | 'writableLength' | 'destroy'>,
  text: string,
  log: EventLog,
): void {
  stream.write(text);
  if (stream.writableLength <= MAX_UNREAD_BYTES) return;
  log.info({ unreadBytes: stream.writableLength }, 'event stream closed: its reader is too slow');
  stream.destroy();
}
