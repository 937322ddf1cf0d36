import { expect, onTestFinished, test, vi } from 'vitest';
import type { RowBlock } from '../engine/engine.ts';
import { aDocument } from '../testing/documents.ts';
import { createGroupCommit } from './group-commit.ts';

const OPTIONS = {
  serverNumber: 0,
  commitIntervalMs: 1,
  queueMaxBytes: 1_000_000,
  recent: { add() {}, invalidate() {} },
  log: { warn() {} },
};

/** Inserts that end when the test calls `end`. */
function heldInserts() {
  const started: { readonly table: string; readonly bytes: number; end(failure?: Error): void }[] = [];
  let onStarted = () => {};
  return {
    insert: ({ table, bytes }: RowBlock) =>
      new Promise<void>((resolve, reject) => {
        started.push({ table, bytes: bytes.length, end: (failure) => (failure ? reject(failure) : resolve()) });
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
  expect(commits.counts()).toEqual({ received: 1, stored: 1, queued: 0, refused: 0, queuedBytes: 0 });
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

test('append rejects when inserts fail, and the counts add up', async () => {
  const commits = createGroupCommit({ ...OPTIONS, insert: () => Promise.reject(new Error('unreachable')) });
  await expect(commits.append([aDocument(1), aDocument(2)])).rejects.toMatchObject({
    code: 'ServiceUnavailable',
    retryAfterSeconds: 5,
  });
  expect(commits.counts()).toEqual({ received: 2, stored: 0, queued: 0, refused: 2, queuedBytes: 0 });
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
