import protobuf from 'protobufjs/minimal.js';
import type { SendResult } from './send-with-retries.ts';

const { Reader } = protobuf;

/**
 * Reads an ExportTraceServiceResponse or ExportLogsServiceResponse. `partial_success` has the number of rejected items,
 * or only a warning. Other bytes count as no rejection: the status alone means success.
 */
export function readPartialSuccess(bytes: Uint8Array): SendResult {
  let rejected = 0;
  let reason: string | undefined;
  readFields(bytes, {
    1: (reader) =>
      readFields(reader.bytes(), {
        1: (inner) => {
          rejected = Number(inner.int64());
        },
        2: (inner) => {
          reason = inner.string();
        },
      }),
  });
  return { kind: 'accepted', rejected: Number.isSafeInteger(rejected) ? rejected : 0, reason: reason || undefined };
}

/** Message of a google.rpc.Status, and the delay of the RetryInfo in its details. */
export function readStatus(bytes: Uint8Array): { readonly message: string; readonly retryAfterMs: number | undefined } {
  let message = '';
  let retryAfterMs: number | undefined;
  readFields(bytes, {
    2: (reader) => {
      message = reader.string();
    },
    3: (reader) => {
      retryAfterMs = readRetryInfo(reader.bytes()) ?? retryAfterMs;
    },
  });
  return { message, retryAfterMs };
}

function readRetryInfo(bytes: Uint8Array): number | undefined {
  let type = '';
  let value: Uint8Array = new Uint8Array();
  readFields(bytes, {
    1: (reader) => {
      type = reader.string();
    },
    2: (reader) => {
      value = reader.bytes();
    },
  });
  if (!type.endsWith('/google.rpc.RetryInfo')) return undefined;
  let delayMs = 0;
  readFields(value, {
    1: (reader) =>
      readFields(reader.bytes(), {
        1: (inner) => {
          delayMs += Number(inner.int64()) * 1000;
        },
        2: (inner) => {
          delayMs += inner.int32() / 1e6;
        },
      }),
  });
  return delayMs;
}

type FieldReaders = Readonly<Record<number, (reader: protobuf.Reader) => void>>;

function readFields(bytes: Uint8Array, fields: FieldReaders): void {
  const reader = Reader.create(bytes);
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      const read = fields[tag >>> 3];
      if (read === undefined) reader.skipType(tag & 7);
      else read(reader);
    }
  } catch {
    // Malformed bytes: the fields before them count.
  }
}
