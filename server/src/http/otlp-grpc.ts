import { setTimeout } from 'node:timers/promises';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { FastifyBaseLogger } from 'fastify';
import { FAILURES, OpenrayError, toFailure } from '../errors.ts';
import { acceptLogs, acceptTraces, type OtlpContext } from '../ingest/otlp.ts';
import { decodeLogs, decodeTraces } from '../ingest/otlp-protobuf.ts';
import { decodeMessage, withIgnoredLogs } from './otlp.ts';
import { exportResponse, grpcCodeOf, retryAfterSeconds, statusMessage } from './otlp-responses.ts';

export type OtlpGrpcOptions = {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Largest message, unpacked. */
  readonly maxBytes: number;
  /** Whether the store would take more now. */
  readonly hasCapacity: () => boolean;
  readonly shouldReportIgnoredLogs: (client: string) => boolean;
  readonly log: FastifyBaseLogger;
};

export type OtlpGrpcListener = { readonly port: number; close(): Promise<void> };

/** How long a call waits for room when its sender sets no deadline, and what it leaves of a deadline for the answer. */
const MAX_WAIT_MS = 30_000;
const RESPONSE_RESERVE_MS = 250;
const CAPACITY_POLL_MS = 20;
/** Messages of waiting calls together, in units of the largest one. */
const MAX_WAITING_MESSAGES = 4;

/**
 * OTLP over gRPC: traces, logs as far as exceptions, and the health service. Exporters take every error for final, so
 * a call is held while the store has no room, until shortly before its deadline.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
 */
export async function listenOtlpGrpc(context: OtlpContext, options: OtlpGrpcOptions): Promise<OtlpGrpcListener> {
  const server = new Server({
    'grpc.max_receive_message_length': options.maxBytes,
    'grpc.max_concurrent_streams': 128,
    // The default of 64 KiB makes each large batch wait for several round trips.
    'grpc-node.flow_control_window': 1024 * 1024,
  });
  const hold = newCapacityWait(options);
  server.addService(unaryService('opentelemetry.proto.collector.trace.v1.TraceService', 'Export'), {
    Export: unaryHandler(options, async (bytes, call) => {
      await hold(bytes.length, call);
      return exportResponse(
        await acceptTraces(
          decodeMessage(() => decodeTraces(bytes)),
          'otlp-grpc',
          context,
        ),
      );
    }),
  });
  server.addService(unaryService('opentelemetry.proto.collector.logs.v1.LogsService', 'Export'), {
    Export: unaryHandler(options, async (bytes, call) => {
      await hold(bytes.length, call);
      const { ignored, ...taken } = await acceptLogs(
        decodeMessage(() => decodeLogs(bytes)),
        'otlp-grpc',
        context,
      );
      const isTold = ignored > 0 && options.shouldReportIgnoredLogs(call.getPeer().replace(/:\d+$/, ''));
      return exportResponse(isTold ? withIgnoredLogs(taken, ignored) : taken);
    }),
  });
  server.addService(HEALTH, { Check: checkHealth, Watch: watchHealth });

  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`${host}:${options.port}`, ServerCredentials.createInsecure(), (cause, bound) =>
      cause === null ? resolve(bound) : reject(cause),
    ),
  );
  return {
    port,
    async close() {
      const drained = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      await Promise.race([drained, setTimeout(1_000, undefined, { ref: false })]);
      server.forceShutdown();
    },
  };
}

type Call = ServerUnaryCall<Buffer, Uint8Array>;

/** Bytes in and out: the messages are read and written by the same code as over HTTP. */
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

function unaryHandler({ log }: OtlpGrpcOptions, run: (bytes: Buffer, call: Call) => Promise<Uint8Array>) {
  return (call: Call, callback: sendUnaryData<Uint8Array>): void => {
    run(call.request, call).then(
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

/** Waiting calls keep their bytes and nothing more; beyond a bound of those they are sent away to come again. */
function newCapacityWait({
  hasCapacity: hasRoom,
  maxBytes,
}: OtlpGrpcOptions): (bytes: number, call: Call) => Promise<void> {
  let heldBytes = 0;
  return async (bytes, call) => {
    if (hasRoom()) return;
    if (heldBytes + bytes > MAX_WAITING_MESSAGES * maxBytes) throw capacityExceeded();
    heldBytes += bytes;
    try {
      const deadlineMs = Math.min(Number(call.getDeadline()), Date.now() + MAX_WAIT_MS) - RESPONSE_RESERVE_MS;
      while (!hasRoom()) {
        if (call.cancelled) throw new OpenrayError('RequestCancelled', 'the sender has gone away');
        if (Date.now() >= deadlineMs) throw capacityExceeded();
        await setTimeout(CAPACITY_POLL_MS);
      }
    } finally {
      heldBytes -= bytes;
    }
  };
}

function capacityExceeded(): OpenrayError {
  return new OpenrayError('ThrottledException', 'spans arrive faster than they can be stored', {
    retryAfterSeconds: 1,
  });
}

/** @see https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
const HEALTH: ServiceDefinition = {
  Check: methodDefinition('/grpc.health.v1.Health/Check', false),
  Watch: methodDefinition('/grpc.health.v1.Health/Watch', true),
};

/** HealthCheckResponse with the status SERVING: a server that answers can take data. */
const SERVING = Uint8Array.of(8, 1);

function checkHealth(_call: Call, callback: sendUnaryData<Uint8Array>): void {
  callback(null, SERVING);
}

/** The answer, and no other until the caller or the server goes. */
function watchHealth(call: ServerWritableStream<Buffer, Uint8Array>): void {
  call.write(SERVING);
}
