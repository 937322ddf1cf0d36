import protobuf from 'protobufjs/minimal.js';
import type { SendResult } from './send-with-retries.ts';

const { Reader } = protobuf;

/**
 * ExportTraceServiceResponse, and the same for logs: `partial_success` says how many were not taken, or only warns. What
 * is no such message says nothing: the status has said all that counts.
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
  return { kind: 'taken', rejected: Number.isSafeInteger(rejected) ? rejected : 0, reason: reason || undefined };
}

/** google.rpc.Status: its message, and the wait that a RetryInfo among its details asks for. */
export function readStatus(bytes: Uint8Array): { readonly message: string; readonly afterMs: number | undefined } {
  let message = '';
  let afterMs: number | undefined;
  readFields(bytes, {
    2: (reader) => {
      message = reader.string();
    },
    3: (reader) => {
      afterMs = readRetryInfo(reader.bytes()) ?? afterMs;
    },
  });
  return { message, afterMs };
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
  let afterMs = 0;
  readFields(value, {
    1: (reader) =>
      readFields(reader.bytes(), {
        1: (inner) => {
          afterMs += Number(inner.int64()) * 1000;
        },
        2: (inner) => {
          afterMs += inner.int32() / 1e6;
        },
      }),
  });
  return afterMs;
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
    // Whatever came before counts.
  }
}
