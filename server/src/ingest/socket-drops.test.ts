import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { parseSocketDrops, readSocketDrops } from './socket-drops.ts';

const TABLE = `
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  511: 0100007F:07D0 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1882152 2 000000004f598187 2997
 1466: 0100007F:E6F1 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1882153 2 00000000f933b18f 5
  512: 00000000000000000000000001000000:07D0 00000000:0000 07 0:0 00:0 00000000     0        0 1882154 2 000000004f598187 3
`;

test('counts the drops of all sockets of the port, on any address', () => {
  expect(parseSocketDrops(TABLE, 2000)).toBe(3000);
  expect(parseSocketDrops(TABLE, 0xe6f1)).toBe(5);
  expect(parseSocketDrops(TABLE, 2001)).toBeUndefined();
  expect(parseSocketDrops('', 2000)).toBeUndefined();
});

test.runIf(process.platform === 'linux')('packets for which a socket had no room are counted', async () => {
  const [receiver, sender] = [createSocket({ type: 'udp4', recvBufferSize: 4096 }), createSocket('udp4')];
  onTestFinished(() => {
    receiver.close();
    sender.close();
  });
  receiver.bind(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address();
  expect(await readSocketDrops(port)).toBe(0);
  let received = 0;
  receiver.on('message', () => {
    received += 1;
  });
  for (let count = 0; count < 2000; count++) sender.send(Buffer.alloc(1000), port, '127.0.0.1');
  await expect.poll(async () => received + ((await readSocketDrops(port)) ?? 0)).toBe(2000);
  expect(received).toBeLessThan(2000);
});
