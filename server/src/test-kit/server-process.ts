import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { OpenrayError } from '../errors.ts';
import { PROGRAM } from '../package/files.ts';

export type OpenrayOptions = {
  /** SAM or CloudFormation template whose functions can be invoked. */
  readonly template?: string;
  /** Data directory; by default a temporary folder that `close` removes. */
  readonly dataDir?: string;
  /** Default: 0, a free port. */
  readonly port?: number;
  /** Any other setting, by its name in `openray config`. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Environment variables of the server's process: a function gets those that its template declares. */
  readonly env?: Readonly<Record<string, string | undefined>>;
};

export type ServerAddress = {
  /** X-Ray API, Invoke API and console. */
  readonly url: string;
  /** For AWS_XRAY_DAEMON_ADDRESS. */
  readonly daemonAddress: string;
};

export type ServerProcess = ServerAddress & {
  readonly child: ChildProcess;
  /** Stops the server and removes its temporary folder. Later calls do nothing more. */
  readonly close: () => Promise<void>;
};

/** Throws SettingInvalid with the server's output when it does not start. */
export async function startServer(options: OpenrayOptions): Promise<ServerProcess> {
  const temporary = options.dataDir === undefined ? await mkdtemp(join(tmpdir(), 'openray-')) : undefined;
  const removeTemporary = async () => {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  };
  const dataDir = options.dataDir ?? (temporary as string);
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--until-stdin-ends', ...flagsOf(options, dataDir)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // biome-ignore lint/style/noProcessEnv: a program that a test starts lives in the test's environment
    env: { ...process.env, ...options.env },
  });
  const exited = once(child, 'exit');
  try {
    const daemonAddress = await untilReady(child);
    return {
      url: `http://${daemonAddress}`,
      daemonAddress,
      child,
      async close() {
        child.ref();
        child.stdin.end();
        await exited;
        await removeTemporary();
      },
    };
  } catch (error) {
    await removeTemporary();
    throw error;
  }
}

function flagsOf({ template, port = 0, settings = {} }: OpenrayOptions, dataDir: string): readonly string[] {
  const values = { dataDir, port, logLevel: 'warn', ...(template === undefined ? {} : { template }), ...settings };
  return Object.entries(values).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);
}

/** Resolves with the daemon's address when the server prints that it is ready. */
function untilReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        printed = `${printed}${line}\n`.slice(-10_000);
        const ready = /AWS_XRAY_DAEMON_ADDRESS=(\S+)/.exec(line);
        if (ready?.[1] !== undefined) resolve(ready[1]);
      });
    }
    child.once('error', reject);
    child.once('close', () => {
      const reason = printed.trim().replace(/^openray: /, '');
      reject(new OpenrayError('SettingInvalid', reason === '' ? 'openray ended before it was ready' : reason));
    });
  });
}
