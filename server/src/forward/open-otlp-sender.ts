import { encodeLogs, encodeTraces } from '../model/otlp/wire/encode.ts';
import type { LogsData, TracesData } from '../model/otlp-messages.ts';
import type { OtlpEndpoint } from './otlp-endpoint.ts';
import { openOtlpHttpSender } from './otlp-http-sender.ts';
import type { OtlpSender } from './otlp-sender.ts';

/** Loads gRPC only when the endpoint uses it. */
export async function openOtlpSender(endpoint: OtlpEndpoint): Promise<OtlpSender> {
  if (endpoint.protocol !== 'grpc') return openOtlpHttpSender(endpoint);
  const { openOtlpGrpcSender } = await import('./otlp-grpc-sender.ts');
  return openOtlpGrpcSender(endpoint);
}

export function traceRequest({ protocol }: OtlpEndpoint, data: TracesData): Uint8Array {
  return protocol === 'http/json' ? Buffer.from(JSON.stringify(data)) : encodeTraces(data);
}

export function logRequest({ protocol }: OtlpEndpoint, data: LogsData): Uint8Array {
  return protocol === 'http/json' ? Buffer.from(JSON.stringify(data)) : encodeLogs(data);
}
