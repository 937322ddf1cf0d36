import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { confirmedBytes, copyInPlace, cutJournals, recordingEnvironment } from './power-loss.ts';

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'openray-kills-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('the last confirmed sync of each file counts, and a line that is cut off does not', () => {
  const log = '10 /a b.journal\n5 /c.journal\n30 /a b.journal\n40 /c.jou';
  expect(confirmedBytes(log)).toEqual(
    new Map([
      ['/a b.journal', 30],
      ['/c.journal', 5],
    ]),
  );
});

test('a power loss keeps what was synced, and nothing else of a journal', async () => {
  const dataDir = join(await newFolder(), 'data');
  const journal = join(dataDir, 'journal', 'store');
  await mkdir(journal, { recursive: true });
  await writeFile(join(journal, 'synced.journal'), '0123456789');
  await writeFile(join(journal, 'never.journal'), '0123456789');
  await writeFile(join(dataDir, 'other'), 'stays');
  copyInPlace(dataDir);
  expect(cutJournals(dataDir, `4 ${join(journal, 'synced.journal')}\n`)).toBe(16);
  expect(await readFile(join(journal, 'synced.journal'), 'utf8')).toBe('0123');
  expect(await readFile(join(journal, 'never.journal'), 'utf8')).toBe('');
  expect(await readFile(join(dataDir, 'other'), 'utf8')).toBe('stays');
});

test('the recorder writes the bytes of a journal that were written before its sync', async () => {
  const folder = await newFolder();
  const [log, path] = [join(folder, 'syncs'), join(folder, 'one.journal')];
  const program = `
    const { open } = require('node:fs/promises');
    setTimeout(async () => {
      const file = await open(${JSON.stringify(path)}, 'w');
      await file.write('12345');
      await file.datasync();
      await file.write('678');
    }, 50);`;
  execFileSync(process.execPath, ['--eval', program], { env: { ...process.env, ...recordingEnvironment(log) } });
  expect(await readFile(log, 'utf8')).toBe(`5 ${path}\n`);
});
