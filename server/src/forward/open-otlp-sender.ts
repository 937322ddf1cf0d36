import type { LogsData, TracesData } from '../model/otlp/types.ts';
import { encodeLogs, encodeTraces } from '../model/otlp/wire/encode.ts';
import type { OtlpEndpoint, OtlpSignal } from './otlp-endpoint.ts';
import { openGrpc } from './otlp-grpc-sender.ts';
import { openHttp } from './otlp-http-sender.ts';
import type { Delivery } from './send-with-retries.ts';

/** Sends requests to one backend. */
export type OtlpSender = {
  /**
   * Sends one ExportTraceServiceRequest or ExportLogsServiceRequest in the encoding of the endpoint. Never rejects: what
   * went wrong is in the delivery, without the headers that were sent.
   */
  send(signal: OtlpSignal, body: Uint8Array, cancel: AbortSignal): Promise<Delivery>;
  close(): void;
};

/** gRPC is loaded only where it is used. */
export async function openOtlp(endpoint: OtlpEndpoint): Promise<OtlpSender> {
  return endpoint.protocol === 'grpc' ? openGrpc(endpoint, await import('@grpc/grpc-js')) : openHttp(endpoint);
}

export function traceRequest({ protocol }: OtlpEndpoint, data: TracesData): Uint8Array {
  return protocol === 'http/json' ? Buffer.from(JSON.stringify(data)) : encodeTraces(data);
}

export function logRequest({ protocol }: OtlpEndpoint, data: LogsData): Uint8Array {
  return protocol === 'http/json' ? Buffer.from(JSON.stringify(data)) : encodeLogs(data);
}
