import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished, test } from 'vitest';
import { loadConfig } from '../config.ts';
import { newLog } from './log.ts';
import { thisProcess } from './process.ts';
import { findOrStartServer } from './target-server.ts';

test('a running server that is busy for longer than a second is found', async ({ expect }) => {
  const busy = createServer((_request, response) => {
    void delay(1500).then(() => response.end('{"status":"ok","version":"1.0.0"}'));
  });
  busy.listen(0, '127.0.0.1');
  await once(busy, 'listening');
  onTestFinished(() => void busy.close());
  const { port } = busy.address() as AddressInfo;
  const { config } = loadConfig({ port }, {}, undefined);
  const found = await findOrStartServer(config, thisProcess(newLog('silent')));
  expect(found).toMatchObject({ url: `http://127.0.0.1:${port}`, isOwn: false });
});
