import { OpenrayError } from '../errors.ts';
import { decodeLogs, decodeTraces } from '../model/otlp/wire/decode.ts';
import type { LogsData, TracesData } from '../model/otlp-messages.ts';
import { readLogs, readTraces } from './otlp-json.ts';

/** Encodings of OTLP; gRPC uses protobuf only. */
export type OtlpEncoding = 'protobuf' | 'json';

/** Throws SerializationException when the bytes are not a message of the encoding, RequestTooLargeException. */
export function readTracesRequest(bytes: Buffer, encoding: OtlpEncoding): TracesData {
  return encoding === 'json' ? readTraces(bytes.toString('utf8')) : readMessage(() => decodeTraces(bytes));
}

/** The same for logs. */
export function readLogsRequest(bytes: Buffer, encoding: OtlpEncoding): LogsData {
  return encoding === 'json' ? readLogs(bytes.toString('utf8')) : readMessage(() => decodeLogs(bytes));
}

/** Runs a reader of protobuf: its errors are errors of the sender. */
export function readMessage<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    if (cause instanceof OpenrayError) throw cause;
    const message = `the body is not a protobuf message: ${(cause as Error).message}`;
    throw new OpenrayError('SerializationException', message, { cause });
  }
}
