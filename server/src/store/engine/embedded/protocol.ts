import { deserialize, serialize } from 'node:v8';
import { type FailureCode, OpenrayError } from '../../../errors.ts';
import type { RenderedSql } from '../../sql.ts';
import { clickhouseCode } from '../clickhouse-errors.ts';
import type { CallOptions, RowBlock } from '../engine.ts';

/** Of the engine in its process. */
export type SessionsOptions = {
  /** The engine's files. The engine locks the directory for this process. */
  readonly directory: string;
  /** Maximum number of concurrent queries; more wait. */
  readonly poolSize: number;
  readonly engineMemoryBytes: number;
  /** The only folder to which backups may be written and from which they may be read. */
  readonly backupDir: string;
};

/** A block whose rows are in a file that the engine reads. */
export type RowFile = Omit<RowBlock, 'bytes'> & { readonly path: string };

/** Limits of a call that the engine enforces. */
export type CallLimits = Pick<CallOptions, 'timeoutMs' | 'maxMemoryBytes' | 'insertToken' | 'cutAt'>;

/** From the server to the process of the engine. `id` is of the call that the request starts or continues. */
export type Request =
  /** The first request of a process. Its response has the `id` OPENING. */
  | { readonly kind: 'open'; readonly options: SessionsOptions }
  | {
      readonly kind: 'query' | 'command' | 'stream';
      readonly id: number;
      readonly statement: RenderedSql;
      readonly limits: CallLimits;
    }
  | { readonly kind: 'insert'; readonly id: number; readonly rows: RowFile }
  /** Asks for the next rows of a stream. Without it the engine reads no further. */
  | { readonly kind: 'next'; readonly id: number }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'close'; readonly id: number }
  /** Answered by the event loop of the process, and not by the engine. */
  | { readonly kind: 'ping' };

export type Response =
  /** `rows` in JSONEachRow; undefined for a call without a result, and at the end of a stream. */
  | { readonly kind: 'answered'; readonly id: number; readonly rows: Uint8Array | undefined }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: FailureData }
  | { readonly kind: 'pong' };

/** The `id` of the opening. */
export const OPENING = 0;

/** An OpenrayError as plain data. */
export type FailureData = {
  readonly code: FailureCode;
  readonly message: string;
  readonly retryAfterSeconds: number | undefined;
  /** The message of ClickHouse, which health checks, repairs and logs read. */
  readonly cause: { readonly message: string; readonly clickhouseCode: number | undefined } | undefined;
};

export function failureData({ code, message, retryAfterSeconds, cause }: OpenrayError): FailureData {
  if (!(cause instanceof Error)) return { code, message, retryAfterSeconds, cause: undefined };
  return {
    code,
    message,
    retryAfterSeconds,
    cause: { message: cause.message, clickhouseCode: clickhouseCode(cause) },
  };
}

export function failureOf({ code, message, retryAfterSeconds, cause }: FailureData): OpenrayError {
  return new OpenrayError(code, message, {
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(cause && { cause: Object.assign(new Error(cause.message), cause) }),
  });
}

const LENGTH_BYTES = 4;

/** A frame: its length as a number of four bytes, little-endian, then a message as V8 serialises it. */
export function encodeFrame(message: Request | Response): Uint8Array {
  const body = serialize(message);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
  frame.writeUInt32LE(body.length);
  body.copy(frame, LENGTH_BYTES);
  return frame;
}

/** Calls `onMessage` for each frame that is complete. The returned function takes the bytes as they arrive. */
export function newFrameReader<Message>(onMessage: (message: Message) => void): (bytes: Buffer) => void {
  /** Joined once the frame is complete: a result may arrive in thousands of pieces. */
  let pieces: Buffer[] = [];
  let length = 0;
  let needed = LENGTH_BYTES;
  return (bytes) => {
    pieces.push(bytes);
    length += bytes.length;
    while (length >= needed) {
      const joined = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, length);
      needed = LENGTH_BYTES + joined.readUInt32LE();
      if (length >= needed) {
        onMessage(deserialize(joined.subarray(LENGTH_BYTES, needed)) as Message);
        pieces = [joined.subarray(needed)];
        length -= needed;
        needed = LENGTH_BYTES;
      } else {
        pieces = [joined];
      }
    }
  };
}
