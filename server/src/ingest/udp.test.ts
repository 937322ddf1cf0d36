import { createSocket } from 'node:dgram';
import pino from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { newStats } from '../stats.ts';
import { makeTestDirectory, openTestStore } from '../store/testing/open-test-store.ts';
import { newAdmission } from './admission.ts';
import { newMemoryBudget } from './memory-budget.ts';
import { newStoredNotifications } from './stored-notifications.ts';
import { listenUdp } from './udp.ts';

async function newListener(memory = newMemoryBudget(100_000)) {
  const directory = await makeTestDirectory();
  onTestFinished(directory.remove);
  const store = await openTestStore(directory.path);
  onTestFinished(() => store.close());
  const stats = newStats();
  const admission = newAdmission({ queuedBytes: () => 0, queueMaxBytes: 1, heldMaxBytes: 0 });
  let seq = Date.now() * 1000;
  const listener = await listenUdp(
    { store, stats, admission, notifications: newStoredNotifications() },
    {
      host: '127.0.0.1',
      port: 0,
      documentMaxBytes: 64_000,
      acceptsUnsampled: false,
      nextSeq: () => ++seq,
      indexed: new Set<string>(),
      memory,
      log: pino({ level: 'silent' }),
    },
  );
  onTestFinished(() => listener.close());
  const udp = createSocket('udp4');
  onTestFinished(() => void udp.close());
  return { stats, send: (text: string) => udp.send(text, listener.port, '127.0.0.1') };
}

test('datagrams beyond the memory of requests are dropped and counted, until the memory is released', async () => {
  const memory = newMemoryBudget(100_000);
  const { stats, send } = await newListener(memory);
  const sendDocument = () =>
    send(
      '{"format":"json","version":1}\n' +
        '{"trace_id":"1-67000000-0123456789abcdef01234567","id":"0123456789abcdef","name":"a","start_time":1,"end_time":2}',
    );

  const other = memory.open();
  other.reserve('decoded', 100_000);
  sendDocument();
  await vi.waitFor(() => expect(stats.datagrams.dropped.get('memory')).toBe(1), { timeout: 60_000 });
  other.release();
  sendDocument();
  await vi.waitFor(() => expect(stats.documents.udp).toMatchObject({ received: 1, stored: 1 }), { timeout: 60_000 });
  await vi.waitFor(() => expect(memory.used().decoded).toBe(0), { timeout: 60_000 });
});

test.runIf(process.platform === 'linux')('datagrams that the operating system dropped are counted', async () => {
  const { stats, send } = await newListener();
  // Nothing reads while this loop runs. The largest buffer holds 8 MiB.
  for (let count = 0; count < 20_000; count++) send('x'.repeat(1000));
  await vi.waitFor(() => expect(stats.datagrams.received).toBe(20_000), { timeout: 60_000 });
  expect(stats.datagrams.dropped.get('socket-full')).toBeGreaterThan(0);
});
