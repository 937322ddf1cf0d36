import { writeSync } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { recordHeader } from './records.ts';

/** Called in the order of the records; `onFailed` in the reverse order, so that a caller can undo one after the other. */
export type WriteListener = {
  onWritten(): void;
  onFailed(reason: unknown): void;
};

/**
 * One journal file while it is written. Records that arrive during a write are written together after it.
 * Callbacks and not promises: all records of a failed write are undone before any other code runs.
 */
export type JournalFile = {
  /** Name without extension; no other file of any journal has it. */
  readonly name: string;
  /** The bytes must not change until a callback. After a failed write, every later record fails too. */
  append(payload: Uint8Array, listener: WriteListener): void;
  /** Resolves once no record waits. Never rejects. Do not append afterwards. */
  close(): Promise<void>;
  /** Deletes the file, which must be closed. */
  remove(): Promise<void>;
};

export type WritableFile = Pick<FileHandle, 'write' | 'datasync' | 'truncate' | 'close'> & {
  /** As `write`, but the thread waits. Returns the number of bytes that were written. */
  writeSync(bytes: Buffer, offset: number, length: number, position: number): number;
};

export type JournalFileOptions = {
  readonly name: string;
  readonly path: string;
  /** Report a record as written only once the disk has it. */
  readonly fsync: boolean;
  readonly create?: (path: string) => Promise<WritableFile>;
};

/**
 * Smaller writes go to the cache of the system at once, on this thread: half or more of the CPU of a small write goes into
 * waking a thread for it. With fsync the disk is waited for, and larger writes take too long for the event loop.
 */
const MAX_SYNC_BYTES = 64 * 1024;
/**
 * A disk that falls behind makes even such a write wait. Then other threads write for a while, twice as long after each
 * slow write: on a machine that is only busy, the next one is fast.
 */
const SLOW_WRITE_MS = 10;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 5_000;

type Waiting = { readonly payload: Uint8Array; readonly listener: WriteListener };

export function newJournalFile({ name, path, fsync, create = createFile }: JournalFileOptions): JournalFile {
  let file: WritableFile | undefined;
  let length = 0;
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;
  let failure: { readonly reason: unknown } | undefined;
  let pauseMs = 0;
  let pausedUntilMs = Number.NEGATIVE_INFINITY;

  function append(payload: Uint8Array, listener: WriteListener): void {
    if (failure) {
      listener.onFailed(failure.reason);
      return;
    }
    waiting.push({ payload, listener });
    writing ??= writeWaiting();
  }

  /** Never rejects. */
  async function writeWaiting(): Promise<void> {
    // Records of one turn of the event loop are written together.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await write(Buffer.concat(batch.flatMap(({ payload }) => [recordHeader(payload), payload])));
      } catch (reason) {
        fail(reason, batch);
        await file?.truncate(length).catch(() => undefined);
        break;
      }
      for (const { listener } of batch) listener.onWritten();
    }
    // In the turn that found no waiting record: a record after it starts the next write.
    writing = undefined;
  }

  async function write(bytes: Buffer): Promise<void> {
    if (file === undefined) {
      file = await create(path);
      if (fsync) await syncFolder(dirname(path));
    }
    if (isSync(bytes)) writeAtOnce(file, bytes);
    else {
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, written, bytes.length - written, length + written);
        written += bytesWritten;
      }
    }
    if (fsync) await file.datasync();
    length += bytes.length;
  }

  const isSync = (bytes: Buffer): boolean =>
    !fsync && bytes.length <= MAX_SYNC_BYTES && performance.now() >= pausedUntilMs;

  function writeAtOnce(to: WritableFile, bytes: Buffer): void {
    const startedMs = performance.now();
    for (let written = 0; written < bytes.length; ) {
      written += to.writeSync(bytes, written, bytes.length - written, length + written);
    }
    const endedMs = performance.now();
    const isSlow = endedMs - startedMs > SLOW_WRITE_MS;
    pauseMs = isSlow ? Math.min(Math.max(FIRST_PAUSE_MS, 2 * pauseMs), MAX_PAUSE_MS) : 0;
    pausedUntilMs = endedMs + pauseMs;
  }

  /** Nothing waits for an unfinished file: the end of a failed write, if it cannot be cut off, is a torn end. */
  function fail(reason: unknown, batch: readonly Waiting[]): void {
    failure = { reason };
    const failed = [...batch, ...waiting];
    waiting = [];
    for (const { listener } of failed.reverse()) listener.onFailed(reason);
  }

  return {
    name,
    append,
    async close() {
      while (writing) await writing;
      await file?.close().catch(() => undefined);
    },
    async remove() {
      if (file) await unlink(path);
    },
  };
}

async function createFile(path: string): Promise<WritableFile> {
  const file = await open(path, 'wx', 0o600);
  return {
    write: file.write.bind(file),
    writeSync: (...write) => writeSync(file.fd, ...write),
    datasync: () => file.datasync(),
    truncate: (length) => file.truncate(length),
    close: () => file.close(),
  };
}

/** Without it, a power loss could remove the name of a file whose content is on the disk. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
