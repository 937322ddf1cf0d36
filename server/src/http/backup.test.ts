import Fastify from 'fastify';
import { expect, test } from 'vitest';
import type { TableCopy } from '../store/store.ts';
import { makeTestDirectory, openTestStore } from '../store/testing/open-test-store.ts';
import { serveBackup } from './backup.ts';
import { handleErrors } from './errors.ts';

test('backups are asked for by name, on the machine of the server', async () => {
  const directory = await makeTestDirectory();
  const store = await openTestStore(directory.path);
  const app = Fastify();
  handleErrors(app);
  serveBackup(app, store);
  const ask = (url: string, remoteAddress = '127.0.0.1') => app.inject({ method: 'POST', url, remoteAddress });

  expect((await ask('/backup?name=one', '192.0.2.7')).json()).toMatchObject({ __type: 'AccessDeniedException' });
  expect((await ask('/backup')).json()).toMatchObject({ __type: 'InvalidRequestException' });
  expect((await ask('/backup?name=..%2Fone')).json()).toMatchObject({ __type: 'InvalidRequestException' });
  const answer = await ask('/backup?name=one', '::1');
  const lines: readonly TableCopy[] = answer.body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({
    table: 'migrations',
    isDone: true,
    destination: expect.stringContaining('/one'),
  });

  await app.close();
  await store.close();
  await directory.remove();
});
