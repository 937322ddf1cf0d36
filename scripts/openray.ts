import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const PROGRAM = new URL('../server/bin/openray.cjs', import.meta.url).pathname;

export type OpenrayProcess = {
  readonly url: string;
  readonly daemonAddress: string;
  /** URLs of OpenTelemetry's default ports; undefined when the receiver is switched off. */
  readonly otlpHttpUrl: string | undefined;
  readonly otlpGrpcUrl: string | undefined;
  readonly process: ChildProcess;
  /** Its output so far. */
  output(): string;
  /** Sends SIGTERM and waits for the end of the process. */
  stop(): Promise<void>;
  /** Sends SIGKILL, which acts like a crash, and waits for the end of the process. */
  kill(): Promise<void>;
};

export type RunOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Passes the output to this process's streams; the result then has none. */
  readonly isShown?: boolean;
  /** The program to run; that of this repository by default. */
  readonly program?: string;
};

export type RunResult = { readonly stdout: string; readonly stderr: string; readonly exitCode: number | null };

/**
 * This process's environment without the variables that openray, functions and clients read: tests must not depend on
 * them.
 */
export function cleanEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(OPENRAY|AWS|_X_AMZN|POWERTOOLS|OTEL)_/.test(entry[0]),
  );
  return { ...Object.fromEntries(inherited), ...more };
}

/** Starts `openray serve` with these flags; resolves when it is ready, rejects with its output when it ends before. */
export async function startOpenray(flags: readonly string[], options: RunOptions = {}): Promise<OpenrayProcess> {
  // Runs the file itself, because its first line has flags for node.
  const child = spawn(options.program ?? PROGRAM, ['serve', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(options.env),
    cwd: options.cwd,
  });
  const exited = once(child, 'exit');
  let printed = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        printed += `${line}\n`;
        // The last line that the server prints when it is ready.
        if (/^ {2}data /.test(line)) resolve();
      });
    }
    child.once('close', (code) => reject(new Error(`openray ended with ${code} before it was ready:\n${printed}`)));
  });
  const inOutput = (pattern: RegExp) => pattern.exec(printed)?.[1];
  const daemonAddress = inOutput(/AWS_XRAY_DAEMON_ADDRESS=(\S+)/) ?? '';
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await exited;
    }
  };
  return {
    url: `http://${daemonAddress}`,
    daemonAddress,
    otlpHttpUrl: inOutput(/OTEL_EXPORTER_OTLP_ENDPOINT=(\S+)/),
    otlpGrpcUrl: inOutput(/OTLP\/gRPC\s+(\S+)/),
    process: child,
    output: () => printed,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

/** Runs a command of openray to its end. */
export async function runOpenray(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const child = spawn(process.execPath, [options.program ?? PROGRAM, ...args], {
    stdio: options.isShown ? 'inherit' : 'pipe',
    env: cleanEnvironment(options.env),
    cwd: options.cwd,
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  child.stderr?.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  child.stdin?.end(options.stdin ?? '');
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { stdout, stderr, exitCode };
}
