import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTestDirectory, type TestDirectory } from '../../testing/open-test-store.ts';
import { startEngineChild } from './engine-child.ts';

/** A process of the engine that hangs while it opens. */

let directory: TestDirectory;

beforeEach(async () => {
  directory = await makeTestDirectory();
});

afterEach(() => directory.remove());

const options = () => ({
  directory: join(directory.path, 'clickhouse'),
  poolSize: 1,
  engineMemoryBytes: 512 * 1024 * 1024,
  backupDir: join(directory.path, 'backups'),
});

test.runIf(process.platform === 'linux')('a process that is stuck while it opens is ended', async () => {
  const child = startEngineChild(options(), { intervalMs: 20, maxIdle: 25 });
  process.kill(child.pid as number, 'SIGSTOP');
  await expect(child.opened).rejects.toMatchObject({
    code: 'StoreUnusable',
    message: expect.stringMatching(
      /^The data in .*clickhouse cannot be opened: for 0\.5 s the engine used neither the processor nor the disk/,
    ),
  });
  expect(await child.ended).toBe('did nothing for 0.5 s while it opened the data');
});
