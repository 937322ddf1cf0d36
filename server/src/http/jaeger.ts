import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { QueryParameters } from '../api/jaeger/parameters.ts';
import type { JaegerContext, JaegerRoute } from '../api/jaeger/route.ts';
import { jaegerV1, jaegerV1Error } from '../api/jaeger/v1.ts';
import { jaegerV3, jaegerV3Error } from '../api/jaeger/v3.ts';
import { FAILURES, toFailure } from '../errors.ts';
import { abortOnDisconnect } from './abort-on-disconnect.ts';
import { addRetryAfter, fromFastifyError, logFailure } from './errors.ts';

type Request = FastifyRequest<{ Params: Record<string, string>; Querystring: QueryParameters }>;
type ErrorBody = (httpStatus: number, message: string) => object;

/** Jaeger's query API, versions 1 and 3. */
export function serveJaeger(app: FastifyInstance, store: JaegerContext['store']): void {
  serveRoutes(app, jaegerV1, jaegerV1Error, store);
  serveRoutes(app, jaegerV3, jaegerV3Error, store);
}

function serveRoutes(
  app: FastifyInstance,
  routes: readonly JaegerRoute[],
  errorBody: ErrorBody,
  store: JaegerContext['store'],
): void {
  const errorHandler = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const failure = fromFastifyError(thrown) ?? toFailure(thrown);
    const { http } = FAILURES[failure.code];
    logFailure(request, failure);
    addRetryAfter(reply, failure);
    return reply.code(http).send(errorBody(http, failure.message));
  };
  const nowUs = () => Date.now() * 1000;
  for (const { path, run } of routes) {
    app.get(path, { errorHandler }, async ({ params, query }: Request, reply) => {
      const signal = abortOnDisconnect(reply);
      await store.flush({ signal });
      return run({ params, query }, { store, nowUs, signal });
    });
  }
}
