import type { ServerProcess } from '../compose/process.ts';
import { startServer } from '../compose/start-server.ts';
import type { Config } from '../config.ts';

/** The server for a command's traces: a running one, or one that the command starts and closes. */
export type TargetServer = {
  readonly url: string;
  readonly daemonAddress: string;
  readonly isOwn: boolean;
  close(): Promise<void>;
};

/**
 * A port without a listener refuses at once, so this bounds only the wait for a server that is busy. With a short bound
 * a command would start a second server on the port that the busy one holds, and fail.
 */
const HEALTH_TIMEOUT_MS = 10_000;

export async function findOrStartServer(config: Config, process: ServerProcess): Promise<TargetServer> {
  const daemonAddress = `${config.host}:${config.port}`;
  const url = `http://${daemonAddress}`;
  if (config.port !== 0 && (await isOpenray(url))) {
    return { url, daemonAddress, isOwn: false, close: async () => undefined };
  }
  const server = await startServer(
    // One port is enough while a command runs: it accepts OpenTelemetry's data, too.
    { ...config, template: undefined, otlpGrpcPort: 'none', otlpHttpPort: 'none' },
    process,
  );
  return { url: server.url, daemonAddress: server.daemonAddress, isOwn: true, close: server.close };
}

async function isOpenray(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    const { version } = (await response.json()) as { version?: unknown };
    return typeof version === 'string';
  } catch {
    return false;
  }
}

/** Meaning of `--endpoint-url` for the commands that use `targetServerAt`. */
export const ENDPOINT_URL =
  'URL of a running server (default: host and port of the settings; without a server there, the command starts one)';

/** The server of `--endpoint-url`, else the result of `findOrStartServer`. */
export async function targetServerAt(
  endpointUrl: string | undefined,
  config: Config,
  process: ServerProcess,
): Promise<Pick<TargetServer, 'url' | 'close'>> {
  if (endpointUrl === undefined) return findOrStartServer(config, process);
  return { url: new URL(endpointUrl).origin, close: async () => undefined };
}
