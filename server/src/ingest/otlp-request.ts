import { OpenrayError } from '../errors.ts';
import { decodeLogs } from '../model/otlp/wire/decode.ts';
import type { LogsData } from '../model/otlp-messages.ts';
import { readLogs } from './otlp-json.ts';

/** Encodings of OTLP; gRPC uses protobuf only. */
export type OtlpEncoding = 'protobuf' | 'json';

/** Throws SerializationException when the bytes are not a message of the encoding, RequestTooLargeException. */
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
