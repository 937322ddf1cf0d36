import { expect, test } from 'vitest';
import { makeTestDirectory, openTestStore } from '../../store/testing/open-test-store.ts';
import { startBackup } from './back-up.ts';

test('a backup has a name that is not a path, and reports the progress of each table', async () => {
  const directory = await makeTestDirectory();
  const store = await openTestStore(directory.path);
  const { signal } = new AbortController();

  await expect(startBackup({}, store, signal)).rejects.toThrow('name: required');
  await expect(startBackup({ name: '../one' }, store, signal)).rejects.toMatchObject({
    code: 'InvalidRequestException',
  });
  const lines = [];
  for await (const line of await startBackup({ name: 'one' }, store, signal)) lines.push(JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({
    table: 'migrations',
    isDone: true,
    destination: expect.stringContaining('/one'),
  });

  await store.close();
  await directory.remove();
});
