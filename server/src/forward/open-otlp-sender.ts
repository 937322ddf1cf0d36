import { encodeLogs, encodeTraces } from '../model/otlp/wire/encode.ts';
import type { LogsData, TracesData } from '../model/otlp-messages.ts';
import type { OtlpEndpoint } from './otlp-endpoint.ts';
import { openOtlpGrpcSender } from './otlp-grpc-sender.ts';
import { openOtlpHttpSender } from './otlp-http-sender.ts';
import type { OtlpSender } from './otlp-sender.ts';

/** Loads gRPC only when the endpoint uses it. */
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
