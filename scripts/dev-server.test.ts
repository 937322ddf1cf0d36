import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { devServer } from './dev-server.ts';

test.each([
  [[], {}, 'http://127.0.0.1:2000'],
  [['--port', '2100'], {}, 'http://127.0.0.1:2100'],
  [['--data-dir', 'data', '--port=2100', '--fsync', 'true'], {}, 'http://127.0.0.1:2100'],
  [[], { OPENRAY_PORT: '2200' }, 'http://127.0.0.1:2200'],
  [['--host', '::1', '--port', '2100'], { OPENRAY_PORT: '2200' }, 'http://[::1]:2100'],
])('the console of npm run dev with %j and %j reads from %s', async (args, environment, url) => {
  expect(await devServer(args, environment)).toEqual({ args, url });
});

test('the port may come from a settings file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'openray-dev-'));
  try {
    const file = join(folder, 'settings.yaml');
    writeFileSync(file, 'port: 2300\n');
    expect(await devServer(['--config', file], {})).toMatchObject({ url: 'http://127.0.0.1:2300' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('port 0 becomes a free port that the server and the console share', async () => {
  const { args, url } = await devServer(['--port', '0'], {});
  expect(args).toEqual(['--port', '0', '--port', new URL(url).port]);
  expect(Number(new URL(url).port)).toBeGreaterThan(0);
});

test('the console of npm run dev forwards its requests to that server', async () => {
  vi.stubEnv('DEV_SERVER_URL', 'http://127.0.0.1:2100');
  try {
    const { loadConfigFromFile } = await import('vite');
    const file = fileURLToPath(new URL('../console/vite.config.ts', import.meta.url));
    const loaded = await loadConfigFromFile({ command: 'serve', mode: 'development' }, file);
    const targets = Object.values(loaded?.config.server?.proxy ?? {});
    expect(targets.length).toBeGreaterThan(0);
    expect(new Set(targets)).toEqual(new Set(['http://127.0.0.1:2100']));
  } finally {
    vi.unstubAllEnvs();
  }
});
