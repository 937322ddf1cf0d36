import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { OpenrayError } from '../errors.ts';
import { logRequest, openOtlpSender, traceRequest } from '../forward/open-otlp-sender.ts';
import type { OtlpEndpoint } from '../forward/otlp-endpoint.ts';
import { sendWithRetries } from '../forward/send-with-retries.ts';
import type { ResourceLogs, ResourceSpans } from '../model/otlp-messages.ts';

/** Destination of an export. A line is one trace: OTLP/JSON with a `cursor`. */
export type ExportSink = {
  /** Throws OpenrayError when this line or an earlier one cannot be written. */
  write(line: string): Promise<void>;
  end(): Promise<void>;
  totals(): ExportTotals;
  close?(): void;
};

/** `cursor`: that of the last line that was delivered. */
export type ExportTotals = {
  readonly cursor: string | undefined;
  readonly rejected: number;
  readonly reason: string | undefined;
};

const BATCH_BYTES = 1024 * 1024;
const GIVE_UP_MS = 120_000;

/** Sends lines to another backend, about a megabyte a request. After `stop` no request is repeated. */
export async function otlpSink(endpoint: OtlpEndpoint, stop: AbortSignal): Promise<ExportSink> {
  const sender = await openOtlpSender(endpoint);
  const neverAborted = new AbortController().signal;
  let pending: string[] = [];
  let pendingBytes = 0;
  let cursor: string | undefined;
  let rejected = 0;
  let reason: string | undefined;

  async function send(signal: 'traces' | 'logs', body: Uint8Array): Promise<void> {
    const delivery = await sendWithRetries(() => sender.send(signal, body, neverAborted), {
      maxElapsedMs: GIVE_UP_MS,
      stopRetrying: stop,
    });
    if (delivery.kind !== 'accepted') {
      const { host } = new URL(endpoint.urls[signal]);
      throw new OpenrayError('ServiceUnavailable', `${host} did not accept the traces: ${delivery.reason}`);
    }
    rejected += delivery.rejected;
    reason = delivery.reason ?? reason;
  }

  async function flush(): Promise<void> {
    if (pending.length === 0) return;
    const lines = pending.map((line) => JSON.parse(line) as ExportedLine);
    pending = [];
    pendingBytes = 0;
    const resourceSpans = lines.flatMap((line) => line.resourceSpans);
    await send('traces', traceRequest(endpoint, { resourceSpans }));
    const resourceLogs = lines.flatMap((line) => line.resourceLogs ?? []);
    if (resourceLogs.length > 0) await send('logs', logRequest(endpoint, { resourceLogs }));
    cursor = lines.at(-1)?.cursor;
  }

  return {
    async write(line) {
      pending.push(line);
      pendingBytes += line.length;
      if (pendingBytes >= BATCH_BYTES) await flush();
    },
    end: flush,
    totals: () => ({ cursor, rejected, reason }),
    close: sender.close,
  };
}

type ExportedLine = {
  readonly resourceSpans: readonly ResourceSpans[];
  readonly resourceLogs?: readonly ResourceLogs[];
  readonly cursor: string;
};

/**
 * Writes lines to a file, about a megabyte at once; `-` is stdout. Throws when the file exists and `isContinued` is
 * false.
 */
export async function fileSink(path: string, isContinued: boolean): Promise<ExportSink> {
  const file = path === '-' ? undefined : await openFile(path, isContinued ? 'a' : 'ax');
  let pending = '';
  let last: string | undefined;
  let isClosed = false;

  async function flush(): Promise<void> {
    const text = pending;
    pending = '';
    if (file === undefined) await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
    else await file.appendFile(text);
  }

  return {
    async write(line) {
      pending += `${line}\n`;
      last = line;
      if (pending.length >= BATCH_BYTES) await flush();
    },
    async end() {
      if (isClosed) return;
      isClosed = true;
      try {
        await flush();
      } finally {
        await file?.close();
      }
    },
    totals: () => ({ cursor: last === undefined ? undefined : cursorOf(last), rejected: 0, reason: undefined }),
  };
}

async function openFile(path: string, mode: 'a' | 'ax' | 'r+'): Promise<FileHandle> {
  try {
    return await open(path, mode);
  } catch (cause) {
    const exists = (cause as { code?: string }).code === 'EEXIST';
    const sentence = exists
      ? `${path} exists: continue it with --resume, or remove it`
      : `${path} cannot be written: ${(cause as Error).message}`;
    throw new OpenrayError('InvalidRequestException', sentence, { cause });
  }
}

const TAIL_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * The cursor of the last complete line of a file; undefined without a file or a complete line. Removes an incomplete
 * last line, which an interrupted run left behind.
 */
export async function lastCursorOf(path: string): Promise<string | undefined> {
  if (!existsSync(path)) return undefined;
  const file = await openFile(path, 'r+');
  try {
    const { size } = await file.stat();
    for (let length = Math.min(TAIL_BYTES, size); length > 0; length = Math.min(length * 2, size)) {
      const tail = Buffer.alloc(length);
      await file.read(tail, 0, length, size - length);
      const end = tail.lastIndexOf(NEWLINE);
      const before = end < 1 ? -1 : tail.lastIndexOf(NEWLINE, end - 1);
      if (end < 0 || (before < 0 && length < size)) {
        if (length < size) continue;
        break;
      }
      await file.truncate(size - length + end + 1);
      return cursorOf(tail.toString('utf8', before + 1, end));
    }
    await file.truncate(0);
    return undefined;
  } finally {
    await file.close();
  }
}

function cursorOf(line: string): string | undefined {
  try {
    return (JSON.parse(line) as Partial<ExportedLine>).cursor;
  } catch (cause) {
    throw new OpenrayError('SerializationException', 'the last line of the file was not written by an export', {
      cause,
    });
  }
}
