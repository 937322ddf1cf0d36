import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { OpenrayError } from '../errors.ts';
import type { Store, TableCopy } from '../store/store.ts';
import { abortOnDisconnect } from './abort-on-disconnect.ts';

/** A line of the answer of `POST /backup`. */
export type BackupLine =
  | TableCopy
  | { readonly error: { readonly code: OpenrayError['code']; readonly message: string } };

const query = z.object({ name: z.string() });

/**
 * `POST /backup?name=…`: makes a backup, and tells of it in JSON lines as long as it takes. Who calls gives a name, never
 * a path: where backups are is a setting. The last line says `error` when it failed on its way. Whoever goes away stops it.
 */
export function serveBackup(app: FastifyInstance, store: Store): void {
  app.post('/backup', async (request, reply) => {
    if (!isLoopbackAddress(request.ip)) {
      throw new OpenrayError('AccessDeniedException', 'backups are asked for on the machine of the server only');
    }
    const { success, data } = query.safeParse(request.query);
    if (!success) throw new OpenrayError('InvalidRequestException', 'name: the backup has to have one');
    const copies = store.backUp(data.name, abortOnDisconnect(reply))[Symbol.asyncIterator]();
    // Most of what can be refused is refused before anything has been copied.
    const first = await copies.next();
    return reply.type('application/x-ndjson').send(Readable.from(lines(first, copies)));
  });
}

async function* lines(first: IteratorResult<TableCopy>, copies: AsyncIterator<TableCopy>) {
  try {
    for (let next = first; !next.done; next = await copies.next()) yield line(next.value);
  } catch (thrown) {
    const { code, message } = thrown as OpenrayError;
    yield line({ error: { code: code ?? 'InternalFailure', message } });
  } finally {
    await copies.return?.();
  }
}

const line = (value: BackupLine) => `${JSON.stringify(value)}\n`;

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
