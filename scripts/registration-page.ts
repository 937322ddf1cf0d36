import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { cleanEnvironment } from './openray.ts';

const MAIN = new URL('../examples/user-registration/registration-page/main.ts', import.meta.url).pathname;
const TSX = createRequire(import.meta.url).resolve('tsx/cli');

export type RegistrationPageProcess = {
  /** The URL that the functions call. */
  readonly url: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
};

/** Starts the service that the example's functions call in its own process; port 0 takes a free one. */
export async function startRegistrationPage(options: {
  readonly daemonAddress: string;
  readonly port: number;
}): Promise<RegistrationPageProcess> {
  const child = spawn(process.execPath, [TSX, MAIN], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: cleanEnvironment({ AWS_XRAY_DAEMON_ADDRESS: options.daemonAddress, PORT: String(options.port) }),
  });
  const exited = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /^registration page: (\S+)$/.exec(line);
      if (found?.[1] !== undefined) resolve(found[1]);
    });
    child.once('exit', (code) => reject(new Error(`the registration page ended with ${code} before it was ready`)));
  });
  return {
    url,
    process: child,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
