import fastify from 'fastify';
import { expect, test } from 'vitest';
import { INCOMPLETE_HEADER } from '../api/operation.ts';
import { markIncomplete } from './mark-incomplete.ts';

test('an incomplete response has each of its reasons once', async () => {
  const app = fastify();
  app.addHook('onSend', async (_, reply) => markIncomplete(reply, 'a part is damaged'));
  app.get('/', (_, reply) => {
    for (const reason of ['a shard is away', 'a part is damaged', 'a shard is away']) markIncomplete(reply, reason);
    return reply.send('rows');
  });
  const { headers } = await app.inject('/');
  expect(headers[INCOMPLETE_HEADER]).toBe('a shard is away; a part is damaged');
});
