import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { runOpenray } from '../../scripts/openray.ts';
import { removeFolder, startTestServer, type TestServer } from '../support/server.ts';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/openray-aws', import.meta.url));
const APPLICATION = join(CACHE, 'application');
const VENV = join(CACHE, 'venv');
const PYTHON_PACKAGES = ['moto[server]>=5,<6', 'boto3>=1.40,<2'];

/** The packages of the first run stay for the next. Node's clients are those of `openray runtime install`. */
async function install(): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  cpSync(fileURLToPath(new URL('application', import.meta.url)), APPLICATION, { recursive: true });
  const ready = join(CACHE, '.ready');
  if (existsSync(ready)) return;
  const run = (program: string, args: readonly string[]) => execFileSync(program, args, { stdio: ['ignore', 2, 2] });
  run('python3', ['-m', 'venv', VENV]);
  run(join(VENV, 'bin/pip'), ['install', '--quiet', ...PYTHON_PACKAGES]);
  const { exitCode, stderr } = await runOpenray(['runtime', 'install', 'node'], { env: { HOME: CACHE } });
  expect(exitCode, stderr).toBe(0);
  writeFileSync(ready, '');
}

let server: TestServer;
let moto: ChildProcess;
let emulator: string;

beforeAll(async () => {
  await install();
  server = await startTestServer();
  const port = await freePort();
  emulator = `http://127.0.0.1:${port}`;
  moto = spawn(join(VENV, 'bin/moto_server'), ['--host', '127.0.0.1', '--port', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise<void>((resolve, reject) => {
    moto.stderr?.on('data', (bytes: Buffer) => bytes.toString().includes('Running on') && resolve());
    moto.once('exit', (code) => reject(new Error(`moto_server ended with ${code}`)));
  });
});

afterAll(async () => {
  moto.kill('SIGTERM');
  if (moto.exitCode === null && moto.signalCode === null) await once(moto, 'exit');
  await server.stop();
  await removeFolder(server.dataDir);
});

const invoke = (name: string, event: object, ...flags: readonly string[]) =>
  runOpenray(['invoke', name, '--event', JSON.stringify(event), ...flags], {
    cwd: APPLICATION,
    env: {
      OPENRAY_PORT: new URL(server.url).port,
      OPENRAY_DATA_DIR: server.dataDir,
      VIRTUAL_ENV: VENV,
      HOME: CACHE,
    },
  });

test.each(['Node', 'Python'])(
  '%s reads DynamoDB, S3, SSM, Secrets Manager and a foreign queue of moto',
  async (name) => {
    const { stdout, stderr } = await invoke(name, { name: `table-${name.toLowerCase()}` }, '--aws-endpoint', emulator);
    expect(JSON.parse(stdout), stderr).toEqual([
      ...['from DynamoDB', 'from S3', 'from SSM', 'from Secrets Manager', 'from SQS'],
      expect.stringContaining(emulator),
    ]);
    expect(stderr).not.toContain('Hint:');
  },
);

test.each(['Node', 'Python'])('%s without an emulator gets one hint at the end', async (name) => {
  const unused = `http://127.0.0.1:${await freePort()}`;
  const { stderr } = await invoke(name, { name: 'lost' }, '--aws-endpoint', unused);
  expect(stderr.trimEnd().split('\n').at(-1)).toBe(
    `Hint: a call of ${name} did not reach AWS at ${unused} (--aws-endpoint): check that the emulator runs there.`,
  );
  expect(stderr.match(/Hint:/g)).toHaveLength(1);
});
