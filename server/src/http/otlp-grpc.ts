import { setTimeout } from 'node:timers/promises';
import {
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import type { FastifyBaseLogger } from 'fastify';
import { FAILURES, toFailure } from '../errors.ts';
import type { AdmittedRequest } from '../ingest/admission.ts';
import { DECODED_BYTES_PER_BYTE, type MemoryBudget, type RequestMemory } from '../ingest/memory-budget.ts';
import { acceptLogs, acceptTracesRequest, type OtlpReceiverContext } from '../ingest/otlp.ts';
import { readDataPointCount } from '../ingest/otlp-metrics.ts';
import { readLogsRequest } from '../ingest/otlp-request.ts';
import { admitRequest } from './admit-requests.ts';
import { IN_FLIGHT_MAX_MS, readSockets } from './graceful-close.ts';
import { exportResponse, grpcCodeOf, retryAfterSeconds, statusMessage } from './otlp-responses.ts';

export type OtlpGrpcOptions = {
  readonly host: string;
  /** 0 means a free port. */
  readonly port: number;
  /** Largest message, after decompression. */
  readonly maxBytes: number;
  readonly memory: MemoryBudget;
  readonly log: FastifyBaseLogger;
};

export type OtlpGrpcListener = { readonly port: number; close(): Promise<void> };

/**
 * OTLP over gRPC: traces, log records of exceptions, metrics (dropped), and the health service. Exporters do not retry after an error, so
 * a call waits while the store has no capacity, until shortly before its deadline.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
 */
export async function listenOtlpGrpc(
  context: OtlpReceiverContext,
  options: OtlpGrpcOptions,
): Promise<OtlpGrpcListener> {
  const server = new Server({
    'grpc.max_receive_message_length': options.maxBytes,
    'grpc.max_concurrent_streams': 128,
    // The default of 64 KiB makes each large batch wait for several round trips.
    'grpc-node.flow_control_window': 1024 * 1024,
    interceptors: [nameEncodings],
  });
  /** Waits for room in the queue and for memory. The message itself is in memory already. */
  const admit = async (call: Call, memory: RequestMemory): Promise<AdmittedRequest> => {
    const bytes = call.request.length;
    const decodedBytes = bytes * DECODED_BYTES_PER_BYTE;
    const isTooLarge = bytes + decodedBytes > options.memory.maxBytes;
    if (isTooLarge) memory.reserve('decoded', decodedBytes);
    return admitRequest('otlp-grpc', context, {
      bytes,
      heldBytes: bytes,
      waitsUntilMs: Math.min(Number(call.getDeadline()), Date.now() + MAX_WAIT_MS) - RESPONSE_RESERVE_MS,
      isCancelled: () => call.cancelled,
      reserveMemory() {
        if (!options.memory.hasRoom('decoded', decodedBytes)) return false;
        memory.reserve('decoded', decodedBytes);
        return true;
      },
    });
  };
  server.addService(unaryService('opentelemetry.proto.collector.trace.v1.TraceService', 'Export'), {
    Export: receivingHandler(options, admit, async (bytes) =>
      exportResponse(await acceptTracesRequest(bytes, 'protobuf', 'otlp-grpc', context)),
    ),
  });
  server.addService(unaryService('opentelemetry.proto.collector.logs.v1.LogsService', 'Export'), {
    Export: receivingHandler(options, admit, async (bytes) =>
      exportResponse(await acceptLogs(readLogsRequest(bytes, 'protobuf'), 'otlp-grpc', context)),
    ),
  });
  server.addService(unaryService('opentelemetry.proto.collector.metrics.v1.MetricsService', 'Export'), {
    Export: unaryHandler(options, async (bytes) => {
      context.dropMetrics(readDataPointCount(bytes, 'protobuf'));
      return new Uint8Array();
    }),
  });
  const watches = new Set<WatchCall>();
  server.addService(HEALTH, { Check: checkHealth, Watch: (call: WatchCall) => watchHealth(call, watches) });

  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`${host}:${options.port}`, ServerCredentials.createInsecure(), (cause, bound) =>
      cause === null ? resolve(bound) : reject(cause),
    ),
  );
  return {
    port,
    async close() {
      // Calls that the system has received would be refused after GOAWAY.
      await readSockets();
      // Sends GOAWAY: clients finish their calls, and make later ones on other connections.
      const drained = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      for (const call of watches) call.end(NOT_SERVING);
      await Promise.race([drained, setTimeout(IN_FLIGHT_MAX_MS, undefined, { ref: false })]);
      server.forceShutdown();
    },
  };
}

/** Longest wait of a call; one without a deadline has the deadline `Infinity`. */
const MAX_WAIT_MS = 30_000;
/** Part of the deadline that is left for the response. */
const RESPONSE_RESERVE_MS = 250;

const ENCODINGS = 'identity,deflate,gzip';

/**
 * The library reads gzip and deflate, and refuses other encodings itself, before any handler runs. This adds the
 * encodings that a sender may use: to the message for people, to the metadata for programs.
 * @see https://github.com/grpc/grpc/blob/master/doc/compression.md
 */
const nameEncodings: ServerInterceptor = (_method, call) => {
  const sendStatus = call.sendStatus.bind(call);
  call.sendStatus = (sent) => {
    if (sent.code !== status.UNIMPLEMENTED || !sent.details.includes('unsupported encoding')) return sendStatus(sent);
    const metadata = new Metadata();
    metadata.set('grpc-accept-encoding', ENCODINGS);
    sendStatus({ ...sent, details: `${sent.details}; openray reads gzip and deflate`, metadata });
  };
  return new ServerInterceptingCall(call);
};

type Call = ServerUnaryCall<Buffer, Uint8Array>;

/** Bytes in and out: the same code as over HTTP reads and writes the messages. */
function unaryService(service: string, method: string): ServiceDefinition {
  return { [method]: methodDefinition(`/${service}/${method}`, false) };
}

function methodDefinition(path: string, responseStream: boolean) {
  return {
    path,
    requestStream: false,
    responseStream,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
    responseDeserialize: (bytes: Buffer) => bytes,
  };
}

function unaryHandler(
  { log, memory: budget }: OtlpGrpcOptions,
  run: (bytes: Buffer, call: Call, memory: RequestMemory) => Promise<Uint8Array>,
) {
  const runWithin = async (call: Call) => {
    const memory = budget.open();
    try {
      memory.reserve('bodies', call.request.length);
      return await run(call.request, call, memory);
    } finally {
      memory.release();
    }
  };
  return (call: Call, callback: sendUnaryData<Uint8Array>): void => {
    runWithin(call).then(
      (response) => callback(null, response),
      (thrown: unknown) => {
        const failure = toFailure(thrown);
        if (FAILURES[failure.code].http >= 500) log.error({ err: failure.cause ?? failure }, 'gRPC call failed');
        const metadata = new Metadata();
        metadata.set('grpc-status-details-bin', Buffer.from(statusMessage(failure, retryAfterSeconds(failure))));
        callback({ code: grpcCodeOf(failure), details: failure.message, metadata });
      },
    );
  };
}

function receivingHandler(
  options: OtlpGrpcOptions,
  admit: (call: Call, memory: RequestMemory) => Promise<AdmittedRequest>,
  run: (bytes: Buffer) => Promise<Uint8Array>,
) {
  return unaryHandler(options, async (bytes, call, memory) => {
    const admitted = await admit(call, memory);
    try {
      return await run(bytes);
    } finally {
      admitted.release();
    }
  });
}

/** @see https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
const HEALTH: ServiceDefinition = {
  Check: methodDefinition('/grpc.health.v1.Health/Check', false),
  Watch: methodDefinition('/grpc.health.v1.Health/Watch', true),
};

/** HealthCheckResponse with the status SERVING: a server that responds can store data. */
const SERVING = Uint8Array.of(8, 1);
const NOT_SERVING = Uint8Array.of(8, 2);

function checkHealth(_call: Call, callback: sendUnaryData<Uint8Array>): void {
  callback(null, SERVING);
}

type WatchCall = ServerWritableStream<Buffer, Uint8Array>;

/** Sends the status, and another one when the server closes; the stream stays open until then. */
function watchHealth(call: WatchCall, watches: Set<WatchCall>): void {
  watches.add(call);
  call.once('close', () => watches.delete(call));
  call.once('cancelled', () => watches.delete(call));
  call.write(SERVING);
}
