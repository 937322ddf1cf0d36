import type { OtlpSignal } from './otlp-endpoint.ts';
import type { SendResult } from './send-with-retries.ts';

/** Sends requests to one backend. */
export type OtlpSender = {
  /**
   * Sends one ExportTraceServiceRequest or ExportLogsServiceRequest in the encoding of the endpoint. Never rejects: a
   * failure is a result, and its reason does not contain the headers of the request.
   */
  send(signal: OtlpSignal, body: Uint8Array, cancel: AbortSignal): Promise<SendResult>;
  close(): void;
};
