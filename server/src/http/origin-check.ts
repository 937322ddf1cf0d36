import type { FastifyInstance } from 'fastify';
import { OpenrayError } from '../errors.ts';
import { refusalReason } from '../request-origin.ts';

/** Refuses requests of other sites' pages and of rebound names, before the body is read. */
export function checkOrigin(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ raw }) => {
    const reason = refusalReason(raw, 'local');
    if (reason !== undefined) throw new OpenrayError('AccessDeniedException', reason);
  });
}
