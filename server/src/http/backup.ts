import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { startBackup } from '../api/openray/back-up.ts';
import { OpenrayError } from '../errors.ts';
import { abortOnDisconnect } from './abort-on-disconnect.ts';

/** `POST /backup?name=…`: JSON lines while the backup runs. A client that disconnects stops it. */
export function serveBackup(app: FastifyInstance, store: Parameters<typeof startBackup>[1]): void {
  app.post('/backup', async (request, reply) => {
    if (!isLoopbackAddress(request.ip)) {
      throw new OpenrayError('AccessDeniedException', 'backups can be started on the machine of the server only');
    }
    const lines = await startBackup(request.query, store, abortOnDisconnect(reply));
    return reply.type('application/x-ndjson').send(Readable.from(lines));
  });
}

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
