import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { type OpenrayProcess, runOpenray, startOpenray } from './openray.ts';
import { startRegistrationPage } from './registration-page.ts';

export const EXAMPLE = fileURLToPath(new URL('../examples/user-registration', import.meta.url));

export type RunningExample = Pick<OpenrayProcess, 'url' | 'daemonAddress' | 'otlpHttpUrl' | 'otlpGrpcUrl'> & {
  /** Runs a function with one of the example's events; returns the id of its trace. */
  invoke(functionName: string, event: string): Promise<string>;
  stop(): Promise<void>;
};

/** Starts openray with the example's functions, and the page that they call, on free ports. */
export async function startExample(dataDir: string, flags: readonly string[] = []): Promise<RunningExample> {
  const port = await freePort();
  const page = await startRegistrationPage({ daemonAddress: `127.0.0.1:${port}`, port: 0 });
  const server = await startOpenray([
    ...['--port', String(port), '--otlp-http-port', '0', '--otlp-grpc-port', '0'],
    ...['--data-dir', dataDir, '--log-level', 'error'],
    ...['--template', `${EXAMPLE}/template.yaml`, '--parameter-overrides', `RegistrationUrl=${page.url}`],
    ...flags,
  ]);
  return {
    ...server,
    async invoke(functionName, event) {
      const file = `${EXAMPLE}/events/${event}.json`;
      const { stderr } = await runOpenray(['invoke', functionName, '--event-file', file, '--endpoint-url', server.url]);
      const trace = /^Trace: .*\/traces\/(1-[0-9a-f-]+)/m.exec(stderr)?.[1];
      if (trace === undefined) throw new Error(`${functionName} left no trace:\n${stderr}`);
      return trace;
    },
    async stop() {
      await page.stop();
      await server.stop();
    },
  };
}
