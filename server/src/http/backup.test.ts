import { Readable } from 'node:stream';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { serveBackup } from './backup.ts';
import { handleErrors } from './errors.ts';

test('a backup can be started on the machine of the server only', async () => {
  const app = Fastify();
  handleErrors(app);
  const names: string[] = [];
  serveBackup(app, {
    backUp(name) {
      names.push(name);
      return Readable.from([]);
    },
  });
  const post = (remoteAddress: string) => app.inject({ method: 'POST', url: '/backup?name=one', remoteAddress });

  expect((await post('192.0.2.7')).json()).toMatchObject({ __type: 'AccessDeniedException' });
  expect(names).toEqual([]);
  expect((await post('127.0.0.1')).statusCode).toBe(200);
  expect((await post('::1')).statusCode).toBe(200);
  expect(names).toEqual(['one', 'one']);

  await app.close();
});
