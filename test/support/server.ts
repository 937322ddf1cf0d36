import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { XRayClient } from '@aws-sdk/client-xray';
import { onTestFinished } from 'vitest';
import { type OpenrayProcess, startOpenray } from '../../scripts/openray.ts';

export type TestServer = OpenrayProcess & {
  readonly dataDir: string;
  readonly xray: XRayClient;
  /** Kills it with SIGKILL and starts a new one on the same data. */
  crashAndRestart(): Promise<TestServer>;
};

/** Starts a server on free ports and an empty folder, unless `dataDir` is given. The caller removes the folder. */
export async function startTestServer(flags: readonly string[] = [], dataDir?: string): Promise<TestServer> {
  const folder = dataDir ?? (await temporaryFolder());
  const running = await startOpenray([
    ...['--port', '0', '--otlp-http-port', '0', '--otlp-grpc-port', '0'],
    ...['--data-dir', folder, '--log-level', 'warn', ...flags],
  ]);
  const xray = newXRayClient(running.url);
  return {
    ...running,
    dataDir: folder,
    xray,
    async stop() {
      xray.destroy();
      await running.stop();
    },
    async crashAndRestart() {
      xray.destroy();
      await running.kill();
      return startTestServer(flags, folder);
    },
  };
}

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'openray-test-'));
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** A server for the current test: stopped, and its folder removed, when the test ends. */
export async function serverForThisTest(flags: readonly string[] = []): Promise<TestServer> {
  const server = await startTestServer(flags);
  onTestFinished(async () => {
    await server.stop();
    await removeFolder(server.dataDir);
  });
  return server;
}

export function newXRayClient(endpoint: string): XRayClient {
  return new XRayClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
}
