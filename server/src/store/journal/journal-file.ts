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

export type WritableFile = Pick<FileHandle, 'write' | 'datasync' | 'truncate' | 'close'>;

export type JournalFileOptions = {
  readonly name: string;
  readonly path: string;
  /** Report a record as written only once the disk has it. */
  readonly fsync: boolean;
  readonly create?: (path: string) => Promise<WritableFile>;
};

type Waiting = { readonly payload: Uint8Array; readonly listener: WriteListener };

export function newJournalFile({ name, path, fsync, create = createFile }: JournalFileOptions): JournalFile {
  let file: WritableFile | undefined;
  let length = 0;
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;
  let failure: { readonly reason: unknown } | undefined;

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
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await file.write(bytes, written, bytes.length - written, length + written);
      written += bytesWritten;
    }
    if (fsync) await file.datasync();
    length += bytes.length;
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

const createFile = (path: string): Promise<FileHandle> => open(path, 'wx', 0o600);

/** Without it, a power loss could remove the name of a file whose content is on the disk. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
