import { expect, test } from 'vitest';
import { openTestDaemon } from '../testing/daemon.ts';
import { openSegmentSender, parseDaemonAddress } from './segment-sender.ts';

test('a document arrives behind the daemon’s header', async () => {
  const daemon = await openTestDaemon();
  const sender = openSegmentSender(parseDaemonAddress(daemon.address));
  await sender.send({ id: '4f1c2d3e4a5b6c70' });
  expect(await daemon.until(([first]) => first)).toEqual({ id: '4f1c2d3e4a5b6c70' });
  sender.close();
  await daemon.close();
});

test('a document that cannot be sent is dropped: too large, no daemon, closed', async () => {
  const sender = openSegmentSender(parseDaemonAddress('127.0.0.1:9'));
  await sender.send({ text: 'x'.repeat(70_000) });
  await sender.send({ id: 'no daemon' });
  sender.close();
  sender.close();
  await expect(sender.send({ id: 'late' })).resolves.toBeUndefined();
});

test('addresses', () => {
  expect(parseDaemonAddress('localhost:2000')).toEqual({ host: 'localhost', port: 2000 });
  expect(parseDaemonAddress('[::1]:2000')).toEqual({ host: '::1', port: 2000 });
  for (const text of ['', '2000', 'host:', 'host:0', 'host:70000', '::1:2000']) {
    expect(() => parseDaemonAddress(text)).toThrow('write it as host:port');
  }
});
