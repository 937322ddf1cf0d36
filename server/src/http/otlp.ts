import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { getOtlpTrace } from '../api/otlp/get-otlp-trace.ts';
import { FAILURES, OpenrayError, toFailure } from '../errors.ts';
import { acceptLogs, acceptTracesRequest, type OtlpReceiverContext, type PartialSuccess } from '../ingest/otlp.ts';
import { readDataPointCount } from '../ingest/otlp-metrics.ts';
import { type OtlpEncoding, readLogsRequest } from '../ingest/otlp-request.ts';
import { refusalReason } from '../request-origin.ts';
import { abortOnDisconnect } from './abort-on-disconnect.ts';
import { admitRequests } from './admit-requests.ts';
import { contentTypeOf, decompressedBody } from './content-encoding.ts';
import { drainRequest, fromFastifyError, logFailure } from './errors.ts';
import { markIncomplete } from './mark-incomplete.ts';
import {
  exportResponse,
  exportResponseJson,
  retryAfterSeconds,
  statusMessage,
  statusMessageJson,
} from './otlp-responses.ts';
import { memoryOf } from './request-body.ts';

export type OtlpOptions = {
  /** Largest body, both before and after decompression. */
  readonly maxBytes: number;
};

/**
 * OTLP over HTTP: `POST /v1/traces`, `/v1/logs` and `/v1/metrics`, protobuf or JSON, plain or compressed. Responds once
 * the data is stored. Metrics and most log records are dropped with a full success, since exporters log
 * anything else at every interval.
 * `GET /v1/traces/ID` returns a whole trace as OTLP/JSON.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export function serveOtlp(app: FastifyInstance, context: OtlpReceiverContext, options: OtlpOptions): void {
  const routeOptions = { bodyLimit: options.maxBytes, errorHandler: sendFailure };
  const receiverOptions = { ...routeOptions, onRequest: admitRequests('otlp-http', context) };
  app.post('/v1/traces', receiverOptions, async (request, reply) => {
    const encoding = encodingOf(request);
    const bytes = await decompressedBody(request, options.maxBytes, memoryOf(request));
    const result = await acceptTracesRequest(bytes, encoding, 'otlp-http', context);
    return sendPartialSuccess(request, reply, result, 'rejectedSpans');
  });
  app.post('/v1/logs', receiverOptions, async (request, reply) => {
    const encoding = encodingOf(request);
    const data = readLogsRequest(await decompressedBody(request, options.maxBytes, memoryOf(request)), encoding);
    const result = await acceptLogs(data, 'otlp-http', context);
    return sendPartialSuccess(request, reply, result, 'rejectedLogRecords');
  });
  app.post('/v1/metrics', routeOptions, async (request, reply) => {
    const encoding = encodingOf(request);
    context.dropMetrics(
      readDataPointCount(await decompressedBody(request, options.maxBytes, memoryOf(request)), encoding),
    );
    return sendPartialSuccess(request, reply, FULL_SUCCESS, 'rejectedDataPoints');
  });
  app.get<{ Params: { traceId: string } }>('/v1/traces/:traceId', async ({ params }, reply) => {
    await context.store.flush({ signal: abortOnDisconnect(reply) });
    return getOtlpTrace(context.store, params.traceId, () => {
      markIncomplete(reply, 'the trace is too large; this is its first part');
    });
  });
  for (const path of ['/v1/traces', '/v1/logs', '/v1/metrics']) app.options(path, handlePreflight);
}

const FULL_SUCCESS: PartialSuccess = { rejected: 0, message: '' };

function encodingOf(request: FastifyRequest): OtlpEncoding {
  const type = contentTypeOf(request);
  if (type === 'application/json') return 'json';
  if (type === 'application/x-protobuf') return 'protobuf';
  throw new OpenrayError(
    'UnsupportedMediaTypeException',
    `content type ${type?.slice(0, 80) ?? '(none)'} is neither application/x-protobuf nor application/json`,
  );
}

function sendPartialSuccess(
  request: FastifyRequest,
  reply: FastifyReply,
  result: PartialSuccess,
  rejectedName: string,
): FastifyReply {
  allowOrigin(request, reply);
  return encodingOf(request) === 'json'
    ? reply.type('application/json').send(exportResponseJson(result, rejectedName))
    : reply.type('application/x-protobuf').send(protobufBody(result));
}

/** Undefined for a full success, whose message is empty: Node then sends the response in one piece. */
function protobufBody(result: PartialSuccess): Buffer | undefined {
  const bytes = exportResponse(result);
  return bytes.length === 0 ? undefined : Buffer.from(bytes);
}

/** A google.rpc.Status in the encoding of the request, with the status codes of the protocol. */
function sendFailure(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = fromFastifyError(thrown) ?? toFailure(thrown);
  const { http } = FAILURES[failure.code];
  const retryAfter = retryAfterSeconds(failure);
  logFailure(request, failure);
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  drainRequest(request, reply, failure);
  allowOrigin(request, reply);
  reply.code(http);
  return request.headers['content-type']?.toLowerCase().startsWith('application/x-protobuf')
    ? reply.type('application/x-protobuf').send(Buffer.from(statusMessage(failure, retryAfter)))
    : reply.type('application/json').send(statusMessageJson(failure));
}

/** Pages of this machine may send spans of their browser. A page that is refused cannot read the reason. */
function allowOrigin(request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  if (origin === undefined || refusalReason(request.raw, 'local') !== undefined) return;
  reply.header('access-control-allow-origin', origin).header('vary', 'origin');
}

function handlePreflight(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  allowOrigin(request, reply);
  const requested = request.headers['access-control-request-headers'];
  if (requested !== undefined) reply.header('access-control-allow-headers', requested);
  return reply.header('access-control-allow-methods', 'POST').header('access-control-max-age', 86_400).code(204).send();
}
