import type { FastifyInstance } from 'fastify';
import { newHealthChecks } from '../api/openray/health.ts';
import type { ApiContext } from '../api/operation.ts';

/**
 * `/health` is 503 only if a restart may help, for a supervisor that restarts then. `/ready` is 503 while documents
 * cannot be stored or queries cannot be answered, for a balancer that sends requests elsewhere then. Both name each
 * check.
 */
export function serveHealth(app: FastifyInstance, context: Pick<ApiContext, 'store' | 'stats'>, version: string): void {
  const readHealth = newHealthChecks(context);
  app.get('/health', async (_request, reply) => {
    const { status, checks } = await readHealth();
    return reply.code(status === 'failing' ? 503 : 200).send({ status, version, checks });
  });
  app.get('/ready', async (_request, reply) => {
    const { isReady, checks } = await readHealth();
    return reply.code(isReady ? 200 : 503).send({ ready: isReady, checks });
  });
}
