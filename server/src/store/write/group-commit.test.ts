import { expect, onTestFinished, test, vi } from 'vitest';
import type { RowBlock } from '../engine/engine.ts';
import type { JournalFile, WriteListener } from '../journal/journal-file.ts';
import { renderSql } from '../sql.ts';
import { aDocument } from '../testing/documents.ts';
import { type LeftFile, newDocumentEncoder } from './block.ts';
import { createGroupCommit } from './group-commit.ts';

const OPTIONS = {
  serverNumber: 0,
  queueMaxBytes: 1_000_000,
  recent: { add() {}, invalidate() {} },
  log: { warn() {} },
};

/** Inserts that end when the test calls `end`. */
function heldInserts() {
  const started: {
    readonly table: string;
    readonly bytes: number;
    readonly insertToken: string | undefined;
    end(failure?: Error): void;
  }[] = [];
  let onStarted = () => {};
  return {
    insert: ({ table, bytes, insertToken }: RowBlock) =>
      new Promise<void>((resolve, reject) => {
        const end = (failure?: Error) => (failure ? reject(failure) : resolve());
        started.push({ table, bytes: Buffer.concat([bytes].flat()).length, insertToken, end });
        onStarted();
      }),
    /** Insert number `index`, once it has started. */
    async nth(index: number) {
      while (started[index] === undefined) {
        await new Promise<void>((resolve) => {
          onStarted = resolve;
        });
      }
      return started[index];
    },
    started,
  };
}

test('entities are inserted before documents, and append resolves after both', async () => {
  const inserts = heldInserts();
  const commits = createGroupCommit({ ...OPTIONS, insert: inserts.insert });
  let isDone = false;
  const appending = commits.append([aDocument(1)]).then(() => {
    isDone = true;
  });
  const first = await inserts.nth(0);
  expect(first.table).toBe('entities');
  first.end();
  const second = await inserts.nth(1);
  expect(second.table).toBe('documents');
  expect(isDone).toBe(false);
  second.end();
  await appending;
  expect(commits.counts()).toEqual({
    received: 1,
    stored: 1,
    queued: 0,
    refused: 0,
    queuedBytes: 0,
    oldestWaitingMs: 0,
  });
});

test('documents that arrive during an insert form one block after it', async () => {
  const inserts = heldInserts();
  const commits = createGroupCommit({ ...OPTIONS, insert: inserts.insert });
  const appending = [commits.append([aDocument(1)])];
  const first = await inserts.nth(0);
  appending.push(commits.append([aDocument(2)]), commits.append([aDocument(3)]));
  first.end();
  (await inserts.nth(1)).end();
  const third = await inserts.nth(2);
  expect(third.table).toBe('entities');
  expect(third.bytes).toBeGreaterThan(1.5 * first.bytes);
  third.end();
  (await inserts.nth(3)).end();
  await Promise.all(appending);
  expect(inserts.started.length).toBe(4);
});

test('only the failed insert is retried', async () => {
  const inserted: string[] = [];
  const commits = createGroupCommit({
    ...OPTIONS,
    async insert({ table }) {
      inserted.push(table);
      if (inserted.length === 2) throw new Error('the insert failed');
    },
  });
  await commits.append([aDocument(1)]);
  expect(inserted).toEqual(['entities', 'documents', 'documents']);
});

test('only the repeat of an insert looks for rows that are missing, among those of its documents', async () => {
  const blocks: RowBlock[] = [];
  const commits = createGroupCommit({
    ...OPTIONS,
    serverNumber: 7,
    async insert(block) {
      blocks.push(block);
      if (blocks.length % 2 === 1) throw new Error('the insert failed');
    },
  });
  await commits.append([aDocument(1, { seq: 20 }), aDocument(2, { seq: 30 })]);
  const conditions = blocks.map(({ repeats }) => repeats && renderSql(repeats.among));
  const values = conditions.map((condition) => condition && Object.values(condition.params));
  expect(values).toEqual([undefined, [20, 30], undefined, [20, 30, 7]]);
});

test('append rejects when inserts fail, and the counts add up', async () => {
  const commits = createGroupCommit({ ...OPTIONS, insert: () => Promise.reject(new Error('unreachable')) });
  await expect(commits.append([aDocument(1), aDocument(2)])).rejects.toMatchObject({
    code: 'ServiceUnavailable',
    retryAfterSeconds: 5,
  });
  expect(commits.counts()).toEqual({
    received: 2,
    stored: 0,
    queued: 0,
    refused: 2,
    queuedBytes: 0,
    oldestWaitingMs: 0,
  });
});

test('without a journal a block that hangs is refused after half a minute, and the next one after as long', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const commits = createGroupCommit({
    ...OPTIONS,
    insert: ({ timeoutMs }) =>
      new Promise((_, reject) => setTimeout(reject, timeoutMs ?? Number.POSITIVE_INFINITY, new Error('too slow'))),
  });
  const refusedAfterMs = (number: number) =>
    commits.append([aDocument(number)]).then(
      () => undefined,
      () => performance.now() - startedMs,
    );
  const startedMs = performance.now();
  const first = refusedAfterMs(1);
  await vi.advanceTimersByTimeAsync(100);
  const second = refusedAfterMs(2);
  await vi.advanceTimersByTimeAsync(70_000);
  expect(await first).toBeLessThanOrEqual(30_100);
  expect(await second).toBeLessThanOrEqual(60_300);
});

test('a full queue refuses all documents of an append', async () => {
  const inserts = heldInserts();
  const commits = createGroupCommit({ ...OPTIONS, queueMaxBytes: 100, insert: inserts.insert });
  const first = commits.append([aDocument(1)]);
  await expect(commits.append([aDocument(2), aDocument(3)])).rejects.toMatchObject({ code: 'ThrottledException' });
  expect(commits.counts()).toMatchObject({ received: 3, queued: 1, refused: 2 });
  (await inserts.nth(0)).end();
  (await inserts.nth(1)).end();
  await first;
  expect(commits.counts()).toMatchObject({ stored: 1, queued: 0, refused: 2, queuedBytes: 0 });
});

test('no timer has a negative delay, of which Node 24 warns: not the first, and not one whose instant is past', async () => {
  const timers = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => timers.mockRestore());
  let nowMs = 1_000;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  onTestFinished(() => clock.mockRestore());
  const commits = createGroupCommit({ ...OPTIONS, insert: async () => {} });
  await commits.append([aDocument(1)]);
  nowMs += 60_000;
  await commits.append([aDocument(2)]);
  await commits.close();
  expect(timers).toHaveBeenCalledTimes(2);
  for (const [, delayMs] of timers.mock.calls) expect(delayMs).toBeGreaterThanOrEqual(0);
});

/** Journal files whose writes end when the test calls `write` or `fail`. */
function heldJournal() {
  const files: { name: string; waiting: { payload: Uint8Array; listener: WriteListener }[]; isRemoved: boolean }[] = [];
  const fileOf = (index: number) => files[index] as (typeof files)[number];
  return {
    files,
    newJournalFile(): JournalFile {
      const file = { name: `file-${files.length}`, waiting: [] as (typeof files)[number]['waiting'], isRemoved: false };
      files.push(file);
      return {
        name: file.name,
        append: (payload, listener) => void file.waiting.push({ payload, listener }),
        close: async () => expect.poll(() => file.waiting).toEqual([]),
        async remove() {
          file.isRemoved = true;
        },
      };
    },
    write(index: number) {
      for (const { listener } of fileOf(index).waiting.splice(0)) listener.onWritten();
    },
    fail(index: number) {
      for (const { listener } of fileOf(index).waiting.splice(0).reverse()) listener.onFailed(new Error('no space'));
    },
  };
}

test('with a journal, append resolves after the write, and a flush inserts all that was acknowledged', async () => {
  const journal = heldJournal();
  const inserts = heldInserts();
  const commits = createGroupCommit({ ...OPTIONS, ...journal, insert: inserts.insert });
  const appending = commits.append([aDocument(1)]);
  expect(commits.counts()).toMatchObject({ received: 1, queued: 1, stored: 0 });
  journal.write(0);
  await appending;
  expect(commits.counts()).toMatchObject({ received: 1, queued: 0, stored: 1 });
  expect(commits.counts().queuedBytes).toBeGreaterThan(0);
  expect(commits.lowWatermark()).toBe(aDocument(1).seq - 1);
  expect(inserts.started).toEqual([]);

  let isFlushed = false;
  const flushing = commits.flush().then(() => {
    isFlushed = true;
  });
  const entities = await inserts.nth(0);
  entities.end();
  const documents = await inserts.nth(1);
  expect([entities.insertToken, documents.insertToken]).toEqual(['file-0', 'file-0']);
  expect([isFlushed, journal.files[0]?.isRemoved]).toEqual([false, false]);
  documents.end();
  await flushing;
  expect(commits.counts()).toMatchObject({ stored: 1, queuedBytes: 0, oldestWaitingMs: 0 });
  expect(commits.lowWatermark()).toBeUndefined();
  await expect.poll(() => journal.files[0]?.isRemoved).toBe(true);
});

test('flushes during an insert share the next block, and wait for its pending writes', async () => {
  const journal = heldJournal();
  const inserts = heldInserts();
  const commits = createGroupCommit({ ...OPTIONS, ...journal, insert: inserts.insert });
  const first = commits.append([aDocument(1)]);
  journal.write(0);
  await first;
  const flushes = [commits.flush()];
  const entities = await inserts.nth(0);
  const appending = [2, 3].map((number) => {
    const appended = commits.append([aDocument(number)]);
    flushes.push(commits.flush());
    return appended;
  });
  entities.end();
  (await inserts.nth(1)).end();
  await flushes[0];
  expect(inserts.started.length).toBe(2);
  journal.write(1);
  await Promise.all(appending);
  (await inserts.nth(2)).end();
  (await inserts.nth(3)).end();
  await Promise.all(flushes);
  expect(journal.files.length).toBe(2);
});

test('a failed write refuses its documents, keeps those before it, and the next ones start a new file', async () => {
  const journal = heldJournal();
  const inserts = heldInserts();
  const commits = createGroupCommit({ ...OPTIONS, ...journal, insert: inserts.insert });
  const kept = commits.append([aDocument(1)]);
  journal.write(0);
  await kept;
  const oneDocument = commits.counts().queuedBytes;
  const refused = [commits.append([aDocument(2)]), commits.append([aDocument(3), aDocument(4)])];
  journal.fail(0);
  for (const one of refused) {
    await expect(one).rejects.toMatchObject({ code: 'ServiceUnavailable', retryAfterSeconds: 5 });
  }
  expect(commits.counts()).toMatchObject({ received: 4, stored: 1, queued: 0, refused: 3, queuedBytes: oneDocument });
  // The block of the failed file is inserted without a question.
  const entities = await inserts.nth(0);
  entities.end();
  const documents = await inserts.nth(1);
  documents.end();
  expect(entities.bytes + documents.bytes).toBe(oneDocument);
  const next = commits.append([aDocument(5)]);
  journal.write(1);
  await next;
  expect(journal.files.length).toBe(2);
});

test('with a journal, a failed insert is retried until it succeeds, and documents are acknowledged meanwhile', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const journal = heldJournal();
  let failures = 10;
  const insert = vi.fn(async () => {
    if (failures-- > 0) throw new Error('unreachable');
  });
  const commits = createGroupCommit({ ...OPTIONS, ...journal, insert });
  const first = commits.append([aDocument(1)]);
  journal.write(0);
  await first;
  const flushing = commits.flush();
  const second = commits.append([aDocument(2)]);
  await vi.advanceTimersByTimeAsync(5_000);
  journal.write(journal.files.length - 1);
  await second;
  await vi.advanceTimersByTimeAsync(60_000);
  await flushing;
  await commits.flush();
  expect(insert).toHaveBeenCalledTimes(14);
  expect(commits.counts()).toMatchObject({ received: 2, stored: 2, refused: 0, queuedBytes: 0 });
});

test('with a journal, documents for which no question comes are inserted after ten seconds', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const journal = heldJournal();
  const insert = vi.fn(async () => undefined);
  const commits = createGroupCommit({ ...OPTIONS, ...journal, insert });
  void commits.append([aDocument(1)]);
  journal.write(0);
  await vi.advanceTimersByTimeAsync(9_900);
  expect(insert).not.toHaveBeenCalled();
  expect(commits.counts().oldestWaitingMs).toBeGreaterThanOrEqual(9_900);
  await vi.advanceTimersByTimeAsync(200);
  expect(insert).toHaveBeenCalledTimes(2);
});

test('documents that cannot be inserted before the store closes stay in the journal', async () => {
  const journal = heldJournal();
  const warn = vi.fn();
  const insert = () => Promise.reject(new Error('unreachable'));
  const commits = createGroupCommit({ ...OPTIONS, ...journal, insert, log: { warn } });
  const appending = commits.append([aDocument(1)]);
  journal.write(0);
  await appending;
  await commits.close();
  expect(journal.files.map(({ isRemoved }) => isRemoved)).toEqual([false]);
  expect(warn).toHaveBeenLastCalledWith({ count: 1, reason: 'unreachable' }, 'documents stay in the journal');
});

test('rows of entities leave the queue once they are inserted, while those of documents wait', async () => {
  const inserts = heldInserts();
  const commits = createGroupCommit({ ...OPTIONS, insert: inserts.insert });
  const appended = commits.append([aDocument(1), aDocument(2)]);
  const entities = await inserts.nth(0);
  expect(commits.counts().queuedBytes).toBeGreaterThan(entities.bytes);
  entities.end();
  const documents = await inserts.nth(1);
  expect(commits.counts()).toMatchObject({ queued: 2, queuedBytes: documents.bytes });
  documents.end();
  await appended;
  expect(commits.counts()).toMatchObject({ stored: 2, queued: 0, queuedBytes: 0 });
});

/** A file of an earlier process with a document each in two records; the second one waits until the test calls `go`. */
function leftFile(first: number): LeftFile & { readonly ended: string[]; go(): void } {
  const ended: string[] = [];
  const encode = newDocumentEncoder(0);
  let go = () => {};
  const mayGo = new Promise<void>((resolve) => {
    go = resolve;
  });
  return {
    name: `left-${first}`,
    bytes: 100,
    firstSeq: aDocument(first).seq,
    lastSeq: aDocument(first + 1).seq,
    async *rows() {
      yield { ...encode([aDocument(first)]), count: 1 };
      await mayGo;
      yield { ...encode([aDocument(first + 1)]), count: 1 };
    },
    async remove() {
      ended.push('removed');
    },
    ended,
    go,
  };
}

test('documents are acknowledged while those of an earlier process wait, which a flush waits for', async () => {
  const journal = heldJournal();
  const inserts = heldInserts();
  const left = leftFile(1);
  const onInserted = vi.fn();
  const commits = createGroupCommit({ ...OPTIONS, ...journal, insert: inserts.insert, left: [left], onInserted });
  expect(commits.counts()).toMatchObject({ received: 0, queuedBytes: 100 });
  const appending = commits.append([aDocument(3)]);
  journal.write(0);
  await appending;
  expect(commits.counts()).toMatchObject({ received: 1, stored: 1 });
  expect(commits.lowWatermark()).toBe(aDocument(1).seq - 1);
  const flushing = commits.flush();
  expect(inserts.started).toEqual([]);
  left.go();
  for (let insert = 0; insert < 4; insert++) (await inserts.nth(insert)).end();
  await flushing;
  expect(inserts.started.map(({ table, insertToken }) => `${table} ${insertToken}`)).toEqual([
    'entities left-1',
    'documents left-1',
    'entities file-0',
    'documents file-0',
  ]);
  expect(onInserted.mock.calls).toEqual([[aDocument(2).seq], [aDocument(3).seq]]);
  expect([commits.replayedCount(), left.ended]).toEqual([2, ['removed']]);
  expect(commits.counts()).toMatchObject({ received: 1, stored: 1, queued: 0, queuedBytes: 0 });
});

test('a store that closes leaves documents of an earlier process to the next start, and inserts its own', async () => {
  const journal = heldJournal();
  const left = [leftFile(1), leftFile(3)];
  const tokens: (string | undefined)[] = [];
  const insert = async ({ insertToken }: RowBlock) => void tokens.push(insertToken);
  const commits = createGroupCommit({ ...OPTIONS, ...journal, insert, left });
  const appending = commits.append([aDocument(5)]);
  journal.write(0);
  await appending;
  const closing = commits.close();
  for (const { go } of left) go();
  await closing;
  await commits.replayed;
  expect(tokens).toEqual(['file-0', 'file-0']);
  expect(left.map(({ ended }) => ended)).toEqual([[], []]);
  expect(commits.counts()).toMatchObject({ queuedBytes: 0 });
});

test('a file of an earlier process that cannot be read stays, and the next documents are inserted', async () => {
  const warn = vi.fn();
  const left: LeftFile = {
    ...leftFile(1),
    rows() {
      throw new Error('no such device');
    },
  };
  const insert = vi.fn(async () => {});
  const options = { ...OPTIONS, ...heldJournal(), insert, left: [left], log: { warn } };
  const commits = createGroupCommit(options);
  await commits.replayed;
  expect(warn).toHaveBeenCalledWith({ count: 0, reason: 'no such device' }, 'documents stay in the journal');
  expect(insert).not.toHaveBeenCalled();
  expect(commits.counts()).toMatchObject({ queuedBytes: 0 });
});
