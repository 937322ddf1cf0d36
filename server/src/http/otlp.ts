import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FAILURES, OpenrayError, toFailure } from '../errors.ts';
import { type OtlpContext, type Taken, takeLogs, takeTraces } from '../ingest/otlp.ts';
import { readLogs, readTraces } from '../ingest/otlp-json.ts';
import { decodeLogs, decodeTraces } from '../ingest/otlp-protobuf.ts';
import { tracesDataOf } from '../model/otlp/round-trip/traces-data.ts';
import { parseTraceId } from '../model/trace-id.ts';
import { loadDocuments } from '../query/traces/load-traces.ts';
import { contentTypeOf, unpackedBody } from './content-encoding.ts';
import { ofFastify } from './errors.ts';
import {
  exportResponse,
  exportResponseJson,
  retryAfterSeconds,
  statusMessage,
  statusMessageJson,
} from './otlp-responses.ts';

export type OtlpOptions = {
  /** Largest body, before it is unpacked and after. */
  readonly maxBytes: number;
  /** Whether this client is to be told now that its log records are not kept. */
  readonly shouldTellAboutLogs: (client: string) => boolean;
};

/**
 * OTLP over HTTP: `POST /v1/traces` and `POST /v1/logs`, protobuf or JSON, plain or gzip. Answers once the data is
 * stored. `GET /v1/traces/ID` gives a whole trace as OTLP/JSON, with all that was received. Metrics are refused as an unknown path, which is what makes exporters stop sending them.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export function serveOtlp(app: FastifyInstance, context: OtlpContext, options: OtlpOptions): void {
  const routeOptions = { bodyLimit: options.maxBytes, errorHandler: answerFailure };
  app.post('/v1/traces', routeOptions, async (request, reply) => {
    const { bytes, isJson } = await bodyOf(request, options.maxBytes);
    const data = isJson ? readTraces(bytes.toString('utf8')) : decoded(() => decodeTraces(bytes));
    return answer(request, reply, await takeTraces(data, 'otlp-http', context), 'rejectedSpans');
  });
  app.post('/v1/logs', routeOptions, async (request, reply) => {
    const { bytes, isJson } = await bodyOf(request, options.maxBytes);
    const data = isJson ? readLogs(bytes.toString('utf8')) : decoded(() => decodeLogs(bytes));
    const { ignored, ...taken } = await takeLogs(data, 'otlp-http', context);
    const isTold = ignored > 0 && options.shouldTellAboutLogs(request.ip);
    return answer(request, reply, isTold ? withIgnored(taken, ignored) : taken, 'rejectedLogRecords');
  });
  app.get<{ Params: { traceId: string } }>('/v1/traces/:traceId', async ({ params }) => {
    const id = parseTraceId(params.traceId);
    const documents = (await loadDocuments(context.store, [id])).get(id);
    if (documents === undefined) throw new OpenrayError('ResourceNotFoundException', `there is no trace ${id}`);
    return tracesDataOf(documents);
  });
  for (const path of ['/v1/traces', '/v1/logs']) app.options(path, allowPage);
}

/** Log records that tell of no exception are not kept; saying so each time would fill the exporter's own log. */
export function withIgnored({ rejected, message }: Taken, ignored: number): Taken {
  const note = 'openray keeps traces: of log records only those that tell of an exception of a span are taken';
  return { rejected: rejected + ignored, message: message === '' ? note : `${message}; ${note}` };
}

const AN_HOUR_MS = 3_600_000;
const MAX_CLIENTS = 1_000;

/** Says yes once an hour for each client. */
export function onceAnHour(nowMs: () => number = Date.now): (client: string) => boolean {
  const toldAtMs = new Map<string, number>();
  return (client) => {
    const lastMs = toldAtMs.get(client);
    if (lastMs !== undefined && nowMs() - lastMs < AN_HOUR_MS) return false;
    if (toldAtMs.size >= MAX_CLIENTS) toldAtMs.clear();
    toldAtMs.set(client, nowMs());
    return true;
  };
}

async function bodyOf(request: FastifyRequest, maxBytes: number): Promise<{ bytes: Buffer; isJson: boolean }> {
  const isJson = isJsonRequest(request);
  return { bytes: await unpackedBody(request, maxBytes), isJson };
}

function isJsonRequest(request: FastifyRequest): boolean {
  const type = contentTypeOf(request);
  if (type === 'application/json') return true;
  if (type === 'application/x-protobuf') return false;
  throw new OpenrayError(
    'UnsupportedMediaTypeException',
    `content type ${type?.slice(0, 80) ?? '(none)'} is neither application/x-protobuf nor application/json`,
  );
}

/** What a decoder throws about bytes is the sender's fault. */
export function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (cause instanceof OpenrayError) throw cause;
    throw new OpenrayError(
      'SerializationException',
      `the body is not a protobuf message: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

function answer(request: FastifyRequest, reply: FastifyReply, taken: Taken, rejectedName: string): FastifyReply {
  allowOrigin(request, reply);
  return isJsonRequest(request)
    ? reply.type('application/json').send(exportResponseJson(taken, rejectedName))
    : reply.type('application/x-protobuf').send(Buffer.from(exportResponse(taken)));
}

/** A google.rpc.Status in the encoding of the request, with the status codes of the protocol. */
function answerFailure(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = ofFastify(thrown) ?? toFailure(thrown);
  const { http } = FAILURES[failure.code];
  const retryAfter = retryAfterSeconds(failure);
  if (http >= 500) request.log.error({ err: failure.cause ?? failure, url: request.url }, 'request failed');
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  if (failure.code === 'RequestTooLargeException') letFinish(request, reply);
  allowOrigin(request, reply);
  reply.code(http);
  return request.headers['content-type']?.toLowerCase().startsWith('application/x-protobuf')
    ? reply.type('application/x-protobuf').send(Buffer.from(statusMessage(failure, retryAfter)))
    : reply.type('application/json').send(statusMessageJson(failure));
}

/** A sender that is cut off while it writes sees a broken pipe, not the answer, and would send it all again. */
function letFinish(request: FastifyRequest, reply: FastifyReply): void {
  reply.removeHeader('connection');
  request.raw.resume();
}

/** Pages of this machine may send what their browser records; the guard has kept out all others. */
function allowOrigin(request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  if (origin !== undefined) reply.header('access-control-allow-origin', origin).header('vary', 'origin');
}

function allowPage(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  allowOrigin(request, reply);
  const wanted = request.headers['access-control-request-headers'];
  if (wanted !== undefined) reply.header('access-control-allow-headers', wanted);
  return reply.header('access-control-allow-methods', 'POST').header('access-control-max-age', 86_400).code(204).send();
}
