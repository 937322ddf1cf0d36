import type { LogsData, TracesData } from '../model/otlp/types.ts';
import { encodeLogs, encodeTraces } from '../model/otlp/wire/encode.ts';
import type { OtlpEndpoint, OtlpSignal } from './otlp-endpoint.ts';
import { openOtlpGrpcSender } from './otlp-grpc-sender.ts';
import { openOtlpHttpSender } from './otlp-http-sender.ts';
import type { SendResult } from './send-with-retries.ts';

/** Sends requests to one backend. */
export type OtlpSender = {
  /**
   * Sends one ExportTraceServiceRequest or ExportLogsServiceRequest in the encoding of the endpoint. Never rejects: what
   * went wrong is in the delivery, without the headers that were sent.
   */
  send(signal: OtlpSignal, body: Uint8Array, cancel: AbortSignal): Promise<SendResult>;
  close(): void;
};

/** gRPC is loaded only where it is used. */
export async function openOtlpSender(endpoint: OtlpEndpoint): Promise<OtlpSender> {
  return endpoint.protocol === 'grpc'
    ? openOtlpGrpcSender(endpoint, await import('@grpc/grpc-js'))
    : openOtlpHttpSender(endpoint);
}

export function traceRequest({ protocol }: OtlpEndpoint, data: TracesData): Uint8Array {
  return protocol === 'http/json' ? Buffer.from(JSON.stringify(data)) : encodeTraces(data);
}

export function logRequest({ protocol }: OtlpEndpoint, data: LogsData): Uint8Array {
  return protocol === 'http/json' ? Buffer.from(JSON.stringify(data)) : encodeLogs(data);
}
