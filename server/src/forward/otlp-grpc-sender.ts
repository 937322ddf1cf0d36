import * as grpc from '@grpc/grpc-js';
import type { OtlpEndpoint } from './otlp-endpoint.ts';
import { readPartialSuccess, readStatus } from './otlp-response.ts';
import type { OtlpSender } from './otlp-sender.ts';
import type { SendResult } from './send-with-retries.ts';

const METHODS = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
} as const;

const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

/**
 * OTLP over gRPC, with TLS if the URL says https.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlpgrpc-response
 */
export function openOtlpGrpcSender({ urls, headers, isCompressed, timeoutMs }: OtlpEndpoint): OtlpSender {
  const { protocol, hostname, port } = new URL(urls.traces);
  const isSecure = protocol === 'https:';
  const client = new grpc.Client(
    `${hostname}:${port || (isSecure ? 443 : 4317)}`,
    isSecure ? grpc.credentials.createSsl() : grpc.credentials.createInsecure(),
    {
      'grpc.max_receive_message_length': MAX_RESPONSE_BYTES,
      ...(isCompressed && { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip }),
    },
  );
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return {
    send: (signal, body, cancel) =>
      new Promise((resolve) => {
        if (cancel.aborted) return resolve({ kind: 'retry', reason: 'stopped' });
        const call = client.makeUnaryRequest(
          METHODS[signal],
          (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
          (bytes: Buffer) => bytes,
          body,
          metadata,
          { deadline: Date.now() + timeoutMs },
          (failure, response) => {
            cancel.removeEventListener('abort', stop);
            resolve(failure === null ? readPartialSuccess(response ?? new Uint8Array()) : failureOf(failure, grpc));
          },
        );
        const stop = () => call.cancel();
        cancel.addEventListener('abort', stop, { once: true });
      }),
    close: () => client.close(),
  };
}

/** RESOURCE_EXHAUSTED is retried only if the backend gives a delay. */
function failureOf({ code, details, metadata }: grpc.ServiceError, { status }: typeof grpc): SendResult {
  const [statusDetails] = metadata?.get('grpc-status-details-bin') ?? [];
  const retryAfterMs = Buffer.isBuffer(statusDetails) ? readStatus(statusDetails).retryAfterMs : undefined;
  const reason = `${status[code]}: ${details}`;
  const retryable: readonly grpc.status[] = [
    status.CANCELLED,
    status.DEADLINE_EXCEEDED,
    status.ABORTED,
    status.OUT_OF_RANGE,
    status.UNAVAILABLE,
    status.DATA_LOSS,
  ];
  const isRetryable = retryable.includes(code) || (code === status.RESOURCE_EXHAUSTED && retryAfterMs !== undefined);
  return isRetryable ? { kind: 'retry', reason, retryAfterMs } : { kind: 'rejected', reason };
}
