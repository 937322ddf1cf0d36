import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runOpenray } from '../scripts/openray.ts';
import { removeFolder, serverForThisTest, startTestServer, temporaryFolder } from './support/server.ts';
import { eventually } from './support/wait.ts';

async function folderForThisTest(): Promise<string> {
  const folder = await temporaryFolder();
  onTestFinished(() => removeFolder(folder));
  return folder;
}

test('a second server on the same data names the process that uses it, in one sentence', async () => {
  const first = await serverForThisTest();
  const second = await runOpenray(['serve', '--port', '0', '--data-dir', first.dataDir]);
  expect(second.exitCode).toBe(73);
  expect(second.stderr).toMatch(/^openray: .*(in use|used by).*\n$/);
  expect(second.stderr).toContain(String(first.process.pid));
});

test('of servers that start at once on the data of a killed one, one runs', async () => {
  const { dataDir, kill } = await serverForThisTest();
  await kill();
  const started = await Promise.allSettled([1, 2, 3].map(() => startTestServer([], dataDir)));
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  onTestFinished(async () => {
    for (const server of running) await server.stop();
  });
  expect(running).toHaveLength(1);
  for (const one of started) if (one.status === 'rejected') expect(String(one.reason)).toContain('is in use by');
});

test('a used port is named, with the flag to change it', async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void blocker.close());
  const { port } = blocker.address() as { port: number };
  const { exitCode, stderr } = await runOpenray([
    'serve',
    '--port',
    String(port),
    '--data-dir',
    await folderForThisTest(),
  ]);
  expect(exitCode).toBe(69);
  expect(stderr).toMatch(new RegExp(`^openray: TCP port ${port} on 127\\.0\\.0\\.1 is in use.*--port\n$`));
});

test('a data directory that cannot be written is named', async () => {
  const folder = await folderForThisTest();
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  await chmod(file, 0o400);
  const { exitCode, stderr } = await runOpenray(['serve', '--port', '0', '--data-dir', join(file, 'below')]);
  expect(exitCode).toBe(74);
  expect(stderr).toMatch(/^openray: .*a-file.*\n$/);
});

test.each([
  [['serve', '--port', '99999'], 78, /setting port \(--port\)/],
  [['serve', '--host', '0.0.0.0'], 78, /not a loopback address/],
  [['serve', '--no-such-flag'], 64, /unknown option '--no-such-flag'/],
  [['no-such-command'], 64, /unknown command 'no-such-command'/],
])('%j ends with %i and gives the reason', async (args, exitCode, message) => {
  const result = await runOpenray(args);
  expect(result.exitCode).toBe(exitCode);
  expect(result.stderr).toMatch(message);
});

test('a misspelt variable and a misspelt key of the settings file stop the start and name themselves', async () => {
  const file = join(await folderForThisTest(), 'openray.yaml');
  await writeFile(file, 'queueMaxByte: 5\n');
  expect((await runOpenray(['config', '--config', file])).stderr).toContain('unknown setting queueMaxByte');
  expect((await runOpenray(['config'], { env: { OPENRAY_PROT: '1' } })).stderr).toContain('OPENRAY_PROT');
});

test('openray config prints each value and its source: flag over variable over file over default', async () => {
  const file = join(await folderForThisTest(), 'openray.yaml');
  await writeFile(file, 'port: 2001\nregion: eu-west-1\naccountId: 123456789012\n');
  const { stdout, exitCode } = await runOpenray(['config', '--config', file, '--port', '2003'], {
    env: { OPENRAY_PORT: '2002', OPENRAY_REGION: 'eu-central-1' },
  });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^port +2003 +flag$/m);
  expect(stdout).toMatch(/^region +"eu-central-1" +environment$/m);
  expect(stdout).toMatch(/^accountId +"123456789012" +file$/m);
  expect(stdout).toMatch(/^host +"127.0.0.1" +default$/m);
});

test('--help of the program and of its commands exits with 0', async () => {
  for (const args of [['--help'], ['serve', '--help'], ['invoke', '--help']]) {
    const { exitCode, stdout } = await runOpenray(args);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: openray');
  }
});

test('the help of the program loads a small part of the bundle', async () => {
  const bundle = new URL('../server/dist/bundle/', import.meta.url);
  const loaded = new Map<string, string>();
  const load = async (name: string): Promise<void> => {
    if (loaded.has(name)) return;
    const text = await readFile(new URL(name, bundle), 'utf8');
    loaded.set(name, text);
    // Imports of a part at its beginning; `import()` is not among them.
    for (const [, imported] of text.matchAll(/\bimport(?:\{[^}]*\}from)?"\.\/([^"]+)"/g))
      await load(imported as string);
  };
  await load('openray.js');
  // It starts the engine for `serve` before it loads the program.
  const program = /import\("\.\/(main-[^"]+)"\)/.exec(loaded.get('openray.js') ?? '')?.[1];
  await load(program ?? 'main');
  expect(loaded.size).toBeGreaterThan(2);
  expect([...loaded.values()].join('')).toContain('start the server: daemon');
  // 4 MB with the server.
  expect([...loaded.values()].join('').length).toBeLessThan(300_000);
});

test('health is answered as soon as the server accepts data', async () => {
  const server = await serverForThisTest();
  const ask = () => fetch(`${server.url}/health`);
  expect((await ask()).status).toBe(200);
  // On a busy machine the engine may answer the first check late.
  await eventually(async () =>
    expect(await (await ask()).json()).toMatchObject({ status: 'ok', version: expect.any(String) }),
  );
});
