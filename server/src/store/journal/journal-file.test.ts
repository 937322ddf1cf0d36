import { writeSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type JournalFile, newJournalFile, type WritableFile } from './journal-file.ts';
import { readRecords } from './records.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'openray-journal-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const path = () => join(folder, 'one.journal');
const recordsIn = async (file: string) =>
  readRecords(await readFile(file)).records.map(({ payload }) => String(payload));

/** Resolves with the result of the record. */
function append(file: JournalFile, text: string): Promise<'written' | 'failed'> {
  return new Promise((resolve) =>
    file.append(Buffer.from(text), { onWritten: () => resolve('written'), onFailed: () => resolve('failed') }),
  );
}

/** A file on a disk that takes `capacity` bytes. */
function smallDisk(capacity: number) {
  return async (at: string): Promise<WritableFile> => {
    const file = await open(at, 'wx');
    let free = capacity;
    const take = (length: number) => {
      if (free === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      const taking = Math.min(length, free);
      free -= taking;
      return taking;
    };
    const write = async (bytes: Buffer, offset: number, length: number, position: number) =>
      file.write(bytes, offset, take(length), position);
    return {
      write: write as WritableFile['write'],
      writeSync: (bytes, offset, length, position) => writeSync(file.fd, bytes, offset, take(length), position),
      datasync: () => file.datasync(),
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
    };
  };
}

test('records are in the file once they are reported as written', async () => {
  const file = newJournalFile({ name: 'one', path: path(), fsync: true });
  expect(await Promise.all(['a', 'b'].map((text) => append(file, text)))).toEqual(['written', 'written']);
  expect(await recordsIn(path())).toEqual(['a', 'b']);
  expect(await append(file, 'c')).toBe('written');
  await file.close();
  expect(await recordsIn(path())).toEqual(['a', 'b', 'c']);
  await file.remove();
  await expect(readFile(path())).rejects.toThrow('ENOENT');
});

test('records that arrive during a write are written together, and with fsync are synced once', async () => {
  const datasync = vi.fn();
  const write = vi.fn();
  const create = async (at: string): Promise<WritableFile> => {
    const file = await open(at, 'wx');
    return {
      write: ((...args: Parameters<typeof file.write>) => {
        write();
        return file.write(...args);
      }) as WritableFile['write'],
      writeSync: () => expect.unreachable(),
      async datasync() {
        datasync();
        await file.datasync();
      },
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
    };
  };
  const file = newJournalFile({ name: 'one', path: path(), fsync: true, create });
  let isFirst = true;
  const later: Promise<string>[] = [];
  await new Promise<void>((resolve) =>
    file.append(Buffer.from('first'), {
      onWritten() {
        expect(isFirst).toBe(true);
        isFirst = false;
        for (let number = 0; number < 100; number++) later.push(append(file, String(number)));
        resolve();
      },
      onFailed: () => expect.unreachable(),
    }),
  );
  await Promise.all(later);
  expect([write.mock.calls.length, datasync.mock.calls.length]).toEqual([2, 2]);
  await file.close();
  expect((await recordsIn(path())).length).toBe(101);
});

test('on a disk that becomes full at any byte, the file has exactly the records that are reported as written', async () => {
  const texts = fc.array(fc.string({ maxLength: 30 }), { minLength: 1, maxLength: 8 });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      texts,
      fc.nat({ max: 300 }),
      fc.boolean(),
      fc.boolean(),
      async (written, capacity, together, fsync) => {
        const at = join(folder, `${run++}.journal`);
        const file = newJournalFile({ name: 'one', path: at, fsync, create: smallDisk(capacity) });
        const results: string[] = [];
        if (together) results.push(...(await Promise.all(written.map((text) => append(file, text)))));
        else for (const text of written) results.push(await append(file, text));
        await file.close();
        const kept = written.filter((_, index) => results[index] === 'written');
        expect(await recordsIn(at)).toEqual(kept);
        // After a failure no record is written.
        expect(results.lastIndexOf('written')).toBe(kept.length - 1);
      },
    ),
    { numRuns: 60 },
  );
});

test('small writes return at once, unless one was slow; larger writes and those with fsync leave the thread free', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const calls: string[] = [];
    let takesMs = 0;
    const create = async (): Promise<WritableFile> => ({
      write: (async (_bytes: Buffer, _offset: number, length: number) => {
        calls.push('asynchronous');
        return { bytesWritten: length, buffer: _bytes };
      }) as WritableFile['write'],
      writeSync(_bytes, _offset, length) {
        calls.push('at once');
        vi.advanceTimersByTime(takesMs);
        return length;
      },
      datasync: async () => {},
      truncate: async () => {},
      close: async () => {},
    });
    const callsOf = async (file: JournalFile, text: string) => {
      await append(file, text);
      return calls.splice(0);
    };
    const file = newJournalFile({ name: 'one', path: path(), fsync: false, create });
    expect(await callsOf(file, 'small')).toEqual(['at once']);
    expect(await callsOf(file, 'x'.repeat(65_536))).toEqual(['asynchronous']);
    takesMs = 11;
    expect(await callsOf(file, 'small')).toEqual(['at once']);
    expect(await callsOf(file, 'small')).toEqual(['asynchronous']);
    vi.advanceTimersByTime(50);
    expect(await callsOf(file, 'small')).toEqual(['at once']);
    vi.advanceTimersByTime(99);
    expect(await callsOf(file, 'small')).toEqual(['asynchronous']);
    takesMs = 0;
    vi.advanceTimersByTime(1);
    expect(await callsOf(file, 'small')).toEqual(['at once']);
    expect(await callsOf(file, 'small')).toEqual(['at once']);
    const synced = newJournalFile({ name: 'two', path: path(), fsync: true, create });
    expect(await callsOf(synced, 'small')).toEqual(['asynchronous']);
  } finally {
    vi.useRealTimers();
  }
});

test('records of a failed write are reported in reverse order, and a file that cannot be created fails its records', async () => {
  const file = newJournalFile({ name: 'one', path: join(folder, 'missing', 'one.journal'), fsync: false });
  const failed: string[] = [];
  await new Promise<void>((resolve) => {
    for (const text of ['a', 'b', 'c']) {
      file.append(Buffer.from(text), {
        onWritten: () => expect.unreachable(),
        onFailed() {
          failed.push(text);
          if (text === 'a') resolve();
        },
      });
    }
  });
  expect(failed).toEqual(['c', 'b', 'a']);
  expect(await append(file, 'd')).toBe('failed');
  await file.close();
  await file.remove();
});
