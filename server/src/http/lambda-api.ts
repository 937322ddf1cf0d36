import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OpenrayError } from '../errors.ts';

export type LambdaRequest = {
  /** URL-decoded. */
  readonly functionName: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly query: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
};

export type LambdaResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | Readable;
};

/** The operations of Lambda's API; implemented by `lambda/api/invoke-api.ts`. */
export type LambdaApi = {
  invoke(request: LambdaRequest): Promise<LambdaResponse>;
  invokeStreaming(request: LambdaRequest): Promise<LambdaResponse>;
  listFunctions(): LambdaResponse;
  getFunction(functionName: string): LambdaResponse;
  getFunctionConfiguration(functionName: string): LambdaResponse;
};

type NamedRequest = FastifyRequest<{ Params: { name: string }; Querystring: Record<string, string | string[]> }>;

/** The paths of Lambda's API. Throws ResourceNotFoundException for every path when the server runs no functions. */
export function serveLambdaApi(app: FastifyInstance, lambda: () => LambdaApi | undefined): void {
  const requireApi = () => {
    const api = lambda();
    if (api !== undefined) return api;
    const sentence = 'this server runs no functions; start openray with --template template.yaml';
    throw new OpenrayError('ResourceNotFoundException', sentence);
  };
  const toLambdaRequest = ({ params, headers, query, body }: NamedRequest): LambdaRequest => ({
    functionName: params.name,
    headers,
    query,
    body: (body as Buffer | undefined) ?? Buffer.alloc(0),
  });
  app.post('/2015-03-31/functions/:name/invocations', async (request: NamedRequest, reply) =>
    send(reply, await requireApi().invoke(toLambdaRequest(request))),
  );
  app.post('/2021-11-15/functions/:name/response-streaming-invocations', async (request: NamedRequest, reply) =>
    send(reply, await requireApi().invokeStreaming(toLambdaRequest(request))),
  );
  app.get('/2015-03-31/functions/', async (_request, reply) => send(reply, requireApi().listFunctions()));
  app.get('/2015-03-31/functions/:name', async ({ params }: NamedRequest, reply) =>
    send(reply, requireApi().getFunction(params.name)),
  );
  app.get('/2015-03-31/functions/:name/configuration', async ({ params }: NamedRequest, reply) =>
    send(reply, requireApi().getFunctionConfiguration(params.name)),
  );
}

function send(reply: FastifyReply, { status, headers, body }: LambdaResponse): FastifyReply {
  return reply.code(status).headers(headers).send(body);
}
