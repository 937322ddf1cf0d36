import type { Config } from '../config.ts';
import { OpenrayError } from '../errors.ts';
import { type ServerProcess, startServer } from '../serve.ts';

/** Where a command's traces go: a server that is up already, or one of its own for as long as the command runs. */
export type TargetServer = {
  readonly url: string;
  readonly daemonAddress: string;
  readonly isOwn: boolean;
  close(): Promise<void>;
};

const HEALTH_TIMEOUT_MS = 1000;

export async function findOrStartServer(config: Config, process: ServerProcess): Promise<TargetServer> {
  const daemonAddress = `${config.host}:${config.port}`;
  const url = `http://${daemonAddress}`;
  if (config.port !== 0 && (await isOpenray(url))) {
    return { url, daemonAddress, isOwn: false, close: async () => undefined };
  }
  const server = await startServer(
    // For the time of a command the one port is enough: it takes OpenTelemetry's data too.
    { ...config, template: undefined, otlpGrpcPort: 'none', otlpHttpPort: 'none' },
    process,
  );
  return { url: server.url, daemonAddress: server.daemonAddress, isOwn: true, close: server.close };
}

async function isOpenray(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    const { version } = (await answer.json()) as { version?: unknown };
    return answer.ok && typeof version === 'string';
  } catch {
    return false;
  }
}

/** The openray that `--endpoint-url` names, else as `findBackend`. */
export async function targetServerAt(
  endpointUrl: string | undefined,
  config: Config,
  process: ServerProcess,
): Promise<Pick<TargetServer, 'url' | 'close'>> {
  if (endpointUrl === undefined) return findOrStartServer(config, process);
  if (!/^https?:\/\//.test(endpointUrl) || !URL.canParse(endpointUrl)) {
    throw new OpenrayError('InvalidRequestException', `--endpoint-url ${endpointUrl} is not an http or https URL`);
  }
  return { url: new URL(endpointUrl).origin, close: async () => undefined };
}
