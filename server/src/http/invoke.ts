import type { FastifyInstance } from 'fastify';
import { OpenrayError } from '../errors.ts';

export type InvokeRequest = {
  readonly method: string;
  readonly path: string;
  readonly functionName: string | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
};

export type InvokeResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
};

export type InvokeHandler = (request: InvokeRequest) => Promise<InvokeResponse>;

/** The Lambda API's paths that openray answers; what they mean is for `lambda/`. */
const PATHS = [
  { method: 'POST', url: '/2015-03-31/functions/:name/invocations' },
  { method: 'GET', url: '/2015-03-31/functions/' },
  { method: 'GET', url: '/2015-03-31/functions/:name' },
  { method: 'GET', url: '/2015-03-31/functions/:name/configuration' },
] as const;

export function serveInvoke(app: FastifyInstance, handler: InvokeHandler | undefined): void {
  for (const { method, url } of PATHS) {
    app.route({
      method,
      url,
      async handler(request, reply) {
        if (handler === undefined) {
          throw new OpenrayError(
            'ResourceNotFoundException',
            'no functions are offered here; start openray with --template template.yaml',
          );
        }
        const answer = await handler({
          method,
          path: request.url,
          functionName: (request.params as { name?: string }).name,
          headers: request.headers as Record<string, string | undefined>,
          query: request.query as Record<string, string | undefined>,
          body: (request.body as Buffer | undefined) ?? Buffer.alloc(0),
        });
        return reply.code(answer.status).headers(answer.headers).send(answer.body);
      },
    });
  }
}
