import protobuf from 'protobufjs/minimal.js';
import type { OpenrayError } from '../errors.ts';
import { FAILURES } from '../errors.ts';
import type { PartialSuccess } from '../ingest/otlp.ts';

const { Writer } = protobuf;

/** gRPC's numbers of the statuses that openray uses. */
const GRPC_CODES: Readonly<Record<string, number>> = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
};

/** A throttled request is UNAVAILABLE: by OTLP's specification senders retry that one. */
export function grpcCodeOf({ code }: OpenrayError): number {
  return GRPC_CODES[code === 'ThrottledException' ? 'UNAVAILABLE' : FAILURES[code].grpc] ?? 13;
}

/** ExportTraceServiceResponse or ExportLogsServiceResponse; empty when nothing was rejected. */
export function exportResponse({ rejected, message }: PartialSuccess): Uint8Array {
  if (rejected === 0 && message === '') return new Uint8Array();
  const writer = Writer.create().uint32(10).fork();
  if (rejected > 0) writer.uint32(8).int64(rejected);
  if (message !== '') writer.uint32(18).string(message);
  return writer.ldelim().finish();
}

export function exportResponseJson({ rejected, message }: PartialSuccess, rejectedName: string): object {
  if (rejected === 0 && message === '') return {};
  return {
    partialSuccess: {
      ...(rejected > 0 && { [rejectedName]: String(rejected) }),
      ...(message !== '' && { errorMessage: message }),
    },
  };
}

/** google.rpc.Status. With seconds to wait it holds a RetryInfo, which makes a sender retry. */
export function statusMessage(failure: OpenrayError, retryAfterSeconds: number | undefined): Uint8Array {
  const writer = Writer.create().uint32(8).int32(grpcCodeOf(failure)).uint32(18).string(failure.message);
  if (retryAfterSeconds !== undefined) {
    const retryInfo = Writer.create().uint32(10).fork().uint32(8).int64(retryAfterSeconds).ldelim().finish();
    const detail = writer.uint32(26).fork();
    detail.uint32(10).string('type.googleapis.com/google.rpc.RetryInfo').uint32(18).bytes(retryInfo).ldelim();
  }
  return writer.finish();
}

export function statusMessageJson(failure: OpenrayError): object {
  return { code: grpcCodeOf(failure), message: failure.message };
}

/**
 * One second for failures that may pass, undefined for those that will repeat. Not longer: exporters drop a batch when
 * the wait exceeds their timeout, ten seconds by default.
 */
export function retryAfterSeconds({ code }: OpenrayError): number | undefined {
  return code === 'ThrottledException' || code === 'ServiceUnavailable' || code === 'StoreUnusable' ? 1 : undefined;
}
