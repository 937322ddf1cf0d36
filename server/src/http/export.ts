import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { type ExportContext, exportTraces, TRACE_COUNT_HEADER } from '../api/export/export-traces.ts';
import { abortOnDisconnect } from './abort-on-disconnect.ts';

/**
 * `GET /export/traces`: JSON lines for as long as the client reads, see `exportTraces`. A response that ends without
 * its last chunk is incomplete.
 */
export function serveExport(app: FastifyInstance, context: ExportContext): void {
  app.get('/export/traces', async (request, reply) => {
    const signal = abortOnDisconnect(reply);
    await context.store.flush({ signal });
    const { traceCount, lines } = await exportTraces(request.query, context, signal);
    return reply.header(TRACE_COUNT_HEADER, traceCount).type('application/x-ndjson').send(Readable.from(lines));
  });
}
