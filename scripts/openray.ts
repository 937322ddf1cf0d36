import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const PROGRAM = new URL('../server/bin/openray.cjs', import.meta.url).pathname;

export type OpenrayProcess = {
  readonly url: string;
  readonly daemonAddress: string;
  /** OpenTelemetry's own ports; undefined where they are switched off. */
  readonly otlpHttpUrl: string | undefined;
  readonly otlpGrpcUrl: string | undefined;
  readonly process: ChildProcess;
  /** Everything that it printed so far. */
  output(): string;
  /** Asks it to stop and waits until it has. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
};

export type RunOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Shows what it prints as it comes; then the result holds none of it. */
  readonly isShown?: boolean;
};

export type RunResult = { readonly stdout: string; readonly stderr: string; readonly exitCode: number | null };

/** Settings of this machine must not reach a test; functions and clients read AWS's variables. */
export function cleanEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(OPENRAY|AWS|_X_AMZN|POWERTOOLS|OTEL)_/.test(entry[0]),
  );
  return { ...Object.fromEntries(inherited), ...more };
}

/** Starts `openray serve` with these flags; resolves when it says that it is ready, rejects with what it printed. */
export async function startOpenray(flags: readonly string[], options: RunOptions = {}): Promise<OpenrayProcess> {
  // The program itself, for the flags of its first line.
  const child = spawn(PROGRAM, ['serve', ...flags], {
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
        // The last line of the greeting.
        if (/^ {2}data /.test(line)) resolve();
      });
    }
    child.once('close', (code) => reject(new Error(`openray ended with ${code} before it was ready:\n${printed}`)));
  });
  const told = (what: RegExp) => what.exec(printed)?.[1];
  const daemonAddress = told(/AWS_XRAY_DAEMON_ADDRESS=(\S+)/) ?? '';
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await exited;
    }
  };
  return {
    url: `http://${daemonAddress}`,
    daemonAddress,
    otlpHttpUrl: told(/OTEL_EXPORTER_OTLP_ENDPOINT=(\S+)/),
    otlpGrpcUrl: told(/OTLP\/gRPC\s+(\S+)/),
    process: child,
    output: () => printed,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

/** Runs the command line to its end. */
export async function runOpenray(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
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
