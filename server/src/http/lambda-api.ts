import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OpenrayError } from '../errors.ts';
import { abortOnDisconnect } from './abort-on-disconnect.ts';
import { unknownOperation } from './errors.ts';

export type LambdaRequest = {
  readonly method: string;
  /** As it was sent, without the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly query: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
};

export type LambdaResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | Readable;
};

export type AwsServiceRequest = Pick<LambdaRequest, 'headers' | 'body'> & { readonly signal: AbortSignal };

export type AwsServiceResponse = {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** The operations of Lambda's API and of the services around it; implemented in `lambda/`. */
export type LambdaApi = {
  /** Lambda's API; undefined when it has no such operation. */
  callLambda(request: LambdaRequest): Promise<LambdaResponse | undefined>;
  /** Queues, topics and event bus; undefined when the request names no service. */
  callAwsService(request: AwsServiceRequest): Promise<AwsServiceResponse | undefined>;
};

const NO_FUNCTIONS = 'this server runs no functions; start openray with --template template.yaml';

/** Below these paths are all operations of Lambda's API that concern functions. */
const LAMBDA_PATHS = ['/2015-03-31/functions', '/2015-03-31/functions/*', '/2021-11-15/functions/*'];

/** The paths of Lambda's API. Throws ResourceNotFoundException for every path when the server runs no functions. */
export function serveLambdaApi(app: FastifyInstance, lambda: () => LambdaApi | undefined): void {
  for (const url of LAMBDA_PATHS) {
    app.route({
      method: ['GET', 'POST'],
      url,
      async handler(request, reply) {
        const api = lambda();
        if (api === undefined) throw new OpenrayError('ResourceNotFoundException', NO_FUNCTIONS);
        const response = await api.callLambda({
          method: request.method,
          path: new URL(request.url, 'http://localhost').pathname,
          headers: request.headers,
          query: request.query as LambdaRequest['query'],
          body: (request.body as Buffer | undefined) ?? Buffer.alloc(0),
        });
        if (response === undefined) throw unknownOperation(request.method, request.url);
        return reply.code(response.status).headers(response.headers).send(response.body);
      },
    });
  }
}

/** `/`, and the URL of a queue, to which some SDKs post, with or without a slash at its end. */
const SERVICE_PATHS = ['/', '/:account(^\\d{12}$)/:queue', '/:account(^\\d{12}$)/:queue/'];

/** The template's queues, topics and event bus: the clients of these services post all operations to one path. */
export function serveAwsServices(app: FastifyInstance, lambda: () => LambdaApi | undefined): void {
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());
  for (const path of SERVICE_PATHS) {
    app.post(path, async (request, reply) => {
      const { headers } = request;
      const api = lambda();
      // A client of AWS signs its requests; without a template there is no service that could read them.
      if (api === undefined && headers.authorization !== undefined) return sendNoFunctions(reply, headers);
      const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0);
      // A client may wait for messages for 20 s.
      const signal = AbortSignal.any([abortOnDisconnect(reply), closing.signal]);
      const answer = await api?.callAwsService({ headers, body, signal });
      if (answer === undefined) throw unknownOperation(request.method, request.url);
      return reply
        .code(answer.status)
        .headers(answer.headers ?? {})
        .type(answer.type)
        .send(answer.body);
    });
  }
}

/** Clients of SNS send forms and read errors only as XML. */
function sendNoFunctions(reply: FastifyReply, headers: FastifyRequest['headers']): FastifyReply {
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded') !== true) {
    throw new OpenrayError('ResourceNotFoundException', NO_FUNCTIONS);
  }
  const error = `<Error><Type>Sender</Type><Code>NotFound</Code><Message>${NO_FUNCTIONS}</Message></Error>`;
  return reply.code(404).type('text/xml').send(`<ErrorResponse>${error}</ErrorResponse>`);
}
