import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { OpenrayError } from '../errors.ts';
import { logRequest, openOtlpSender, traceRequest } from '../forward/open-otlp-sender.ts';
import type { OtlpEndpoint } from '../forward/otlp-endpoint.ts';
import { sendWithRetries } from '../forward/send-with-retries.ts';
import type { ResourceLogs, ResourceSpans } from '../model/otlp/types.ts';

/** Takes the lines of an export: a trace each, OTLP/JSON with a `cursor`. */
export type ExportSink = {
  /** Throws OpenrayError when the line, or one before it, can not be written. */
  write(line: string): Promise<void>;
  end(): Promise<void>;
  totals(): ExportTotals;
  close?(): void;
};

/** `cursor` is that of the last line that has reached its end. */
export type ExportTotals = {
  readonly cursor: string | undefined;
  readonly rejected: number;
  readonly reason: string | undefined;
};

const BATCH_BYTES = 1024 * 1024;
const GIVE_UP_MS = 120_000;

/** Sends lines to another backend, about a megabyte at once. After `stop` a request is tried no second time. */
export async function otlpSink(endpoint: OtlpEndpoint, stop: AbortSignal): Promise<ExportSink> {
  const sender = await openOtlpSender(endpoint);
  const never = new AbortController().signal;
  let waiting: string[] = [];
  let waitingBytes = 0;
  let cursor: string | undefined;
  let rejected = 0;
  let reason: string | undefined;

  async function send(signal: 'traces' | 'logs', body: Uint8Array): Promise<void> {
    const delivery = await sendWithRetries(() => sender.send(signal, body, never), {
      maxElapsedMs: GIVE_UP_MS,
      stopRetrying: stop,
    });
    if (delivery.kind !== 'accepted') {
      const { host } = new URL(endpoint.urls[signal]);
      throw new OpenrayError('ServiceUnavailable', `${host} does not take the traces: ${delivery.reason}`);
    }
    rejected += delivery.rejected;
    reason = delivery.reason ?? reason;
  }

  async function flush(): Promise<void> {
    if (waiting.length === 0) return;
    const lines = waiting.map((line) => JSON.parse(line) as ExportedLine);
    waiting = [];
    waitingBytes = 0;
    const resourceSpans = lines.flatMap((line) => line.resourceSpans);
    await send('traces', traceRequest(endpoint, { resourceSpans }));
    const resourceLogs = lines.flatMap((line) => line.resourceLogs ?? []);
    if (resourceLogs.length > 0) await send('logs', logRequest(endpoint, { resourceLogs }));
    cursor = lines.at(-1)?.cursor;
  }

  return {
    async write(line) {
      waiting.push(line);
      waitingBytes += line.length;
      if (waitingBytes >= BATCH_BYTES) await flush();
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

/** Writes lines to a file, about a megabyte at once; `-` is stdout. Throws when the file is there and not gone on with. */
export async function fileSink(path: string, isContinued: boolean): Promise<ExportSink> {
  const file = path === '-' ? undefined : await openFile(path, isContinued ? 'a' : 'ax');
  let waiting = '';
  let last: string | undefined;
  let isClosed = false;

  async function flush(): Promise<void> {
    const text = waiting;
    waiting = '';
    if (file === undefined) await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
    else await file.appendFile(text);
  }

  return {
    async write(line) {
      waiting += `${line}\n`;
      last = line;
      if (waiting.length >= BATCH_BYTES) await flush();
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
      ? `${path} is there already: go on with it by --resume, or remove it`
      : `${path} can not be written: ${(cause as Error).message}`;
    throw new OpenrayError('InvalidRequestException', sentence, { cause });
  }
}

const TAIL_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * The cursor of the last whole line of a file, undefined when there is none, or no file. A line that was cut off when its writing
 * stopped is removed.
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
    throw new OpenrayError('SerializationException', 'the last line of the file is none of an export', { cause });
  }
}
