import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FAILURES, OpenrayError, toFailure } from '../errors.ts';
import { acceptLogs, acceptTraces, type OtlpContext, type PartialSuccess } from '../ingest/otlp.ts';
import { readLogs, readTraces } from '../ingest/otlp-json.ts';
import { decodeLogs, decodeTraces } from '../ingest/otlp-protobuf.ts';
import { tracesDataOf } from '../model/otlp/round-trip/traces-data.ts';
import { parseTraceId } from '../model/trace-id.ts';
import { loadDocuments } from '../query/traces/load-traces.ts';
import { contentTypeOf, decompressedBody } from './content-encoding.ts';
import { fromFastifyError } from './errors.ts';
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
  readonly shouldReportIgnoredLogs: (client: string) => boolean;
};

/**
 * OTLP over HTTP: `POST /v1/traces` and `POST /v1/logs`, protobuf or JSON, plain or gzip. Answers once the data is
 * stored. `GET /v1/traces/ID` gives a whole trace as OTLP/JSON, with all that was received. Metrics are refused as an unknown path, which is what makes exporters stop sending them.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export function serveOtlp(app: FastifyInstance, context: OtlpContext, options: OtlpOptions): void {
  const routeOptions = { bodyLimit: options.maxBytes, errorHandler: sendFailure };
  app.post('/v1/traces', routeOptions, async (request, reply) => {
    const { bytes, isJson } = await readBody(request, options.maxBytes);
    const data = isJson ? readTraces(bytes.toString('utf8')) : decodeMessage(() => decodeTraces(bytes));
    return sendPartialSuccess(request, reply, await acceptTraces(data, 'otlp-http', context), 'rejectedSpans');
  });
  app.post('/v1/logs', routeOptions, async (request, reply) => {
    const { bytes, isJson } = await readBody(request, options.maxBytes);
    const data = isJson ? readLogs(bytes.toString('utf8')) : decodeMessage(() => decodeLogs(bytes));
    const { ignored, ...taken } = await acceptLogs(data, 'otlp-http', context);
    const isTold = ignored > 0 && options.shouldReportIgnoredLogs(request.ip);
    return sendPartialSuccess(request, reply, isTold ? withIgnoredLogs(taken, ignored) : taken, 'rejectedLogRecords');
  });
  app.get<{ Params: { traceId: string } }>('/v1/traces/:traceId', async ({ params }) => {
    const id = parseTraceId(params.traceId);
    const documents = (await loadDocuments(context.store, [id])).get(id);
    if (documents === undefined) throw new OpenrayError('ResourceNotFoundException', `there is no trace ${id}`);
    return tracesDataOf(documents);
  });
  for (const path of ['/v1/traces', '/v1/logs']) app.options(path, handlePreflight);
}

/** Log records that tell of no exception are not kept; saying so each time would fill the exporter's own log. */
export function withIgnoredLogs({ rejected, message }: PartialSuccess, ignored: number): PartialSuccess {
  const note = 'openray keeps traces: of log records only those that tell of an exception of a span are taken';
  return { rejected: rejected + ignored, message: message === '' ? note : `${message}; ${note}` };
}

const HOUR_MS = 3_600_000;
const MAX_CLIENTS = 1_000;

/** Says yes once an hour for each client. */
export function newHourlyLimit(nowMs: () => number = Date.now): (client: string) => boolean {
  const toldAtMs = new Map<string, number>();
  return (client) => {
    const lastMs = toldAtMs.get(client);
    if (lastMs !== undefined && nowMs() - lastMs < HOUR_MS) return false;
    if (toldAtMs.size >= MAX_CLIENTS) toldAtMs.clear();
    toldAtMs.set(client, nowMs());
    return true;
  };
}

async function readBody(request: FastifyRequest, maxBytes: number): Promise<{ bytes: Buffer; isJson: boolean }> {
  const isJson = isJsonRequest(request);
  return { bytes: await decompressedBody(request, maxBytes), isJson };
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
export function decodeMessage<T>(decode: () => T): T {
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

function sendPartialSuccess(
  request: FastifyRequest,
  reply: FastifyReply,
  taken: PartialSuccess,
  rejectedName: string,
): FastifyReply {
  allowOrigin(request, reply);
  return isJsonRequest(request)
    ? reply.type('application/json').send(exportResponseJson(taken, rejectedName))
    : reply.type('application/x-protobuf').send(Buffer.from(exportResponse(taken)));
}

/** A google.rpc.Status in the encoding of the request, with the status codes of the protocol. */
function sendFailure(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = fromFastifyError(thrown) ?? toFailure(thrown);
  const { http } = FAILURES[failure.code];
  const retryAfter = retryAfterSeconds(failure);
  if (http >= 500) request.log.error({ err: failure.cause ?? failure, url: request.url }, 'request failed');
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  if (failure.code === 'RequestTooLargeException') drainRequest(request, reply);
  allowOrigin(request, reply);
  reply.code(http);
  return request.headers['content-type']?.toLowerCase().startsWith('application/x-protobuf')
    ? reply.type('application/x-protobuf').send(Buffer.from(statusMessage(failure, retryAfter)))
    : reply.type('application/json').send(statusMessageJson(failure));
}

/** A sender that is cut off while it writes sees a broken pipe, not the answer, and would send it all again. */
function drainRequest(request: FastifyRequest, reply: FastifyReply): void {
  reply.removeHeader('connection');
  request.raw.resume();
}

/** Pages of this machine may send what their browser records; the guard has kept out all others. */
function allowOrigin(request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  if (origin !== undefined) reply.header('access-control-allow-origin', origin).header('vary', 'origin');
}

function handlePreflight(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  allowOrigin(request, reply);
  const wanted = request.headers['access-control-request-headers'];
  if (wanted !== undefined) reply.header('access-control-allow-headers', wanted);
  return reply.header('access-control-allow-methods', 'POST').header('access-control-max-age', 86_400).code(204).send();
}
