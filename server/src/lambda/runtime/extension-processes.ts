import type { ChildProcess } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { exitFailure, type PlatformFailure } from './failures.ts';
import { newLineSplitter } from './line-splitter.ts';
import { startReaped } from './orphan-reaper.ts';
import { killTree } from './process-tree.ts';

export type ExternalExtension = { readonly name: string; readonly file: string };

/** The executables in the `extensions/` folders of the layers. Of two with the same name, that of the later layer. */
export function findExtensions(layerDirs: readonly string[]): readonly ExternalExtension[] {
  const found = new Map<string, ExternalExtension>();
  for (const layer of layerDirs) {
    const folder = join(layer, 'extensions');
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder).sort()) {
      const file = join(folder, name);
      if (statSync(file).isFile() && isExecutable(file)) found.set(name, { name, file });
    }
  }
  return [...found.values()];
}

/** Variables that a runtime gets and an extension does not. */
const RUNTIME_ONLY = [
  ...['AWS_XRAY_CONTEXT_MISSING', 'AWS_XRAY_DAEMON_ADDRESS', 'AWS_EXECUTION_ENV', 'AWS_LAMBDA_LOG_GROUP_NAME'],
  ...['AWS_LAMBDA_LOG_STREAM_NAME', 'LAMBDA_RUNTIME_DIR', 'LAMBDA_TASK_ROOT', 'NODE_OPTIONS'],
];

export function extensionEnvironmentVariables(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).filter(([name]) => !name.startsWith('_') && !RUNTIME_ONLY.includes(name)),
  );
}

export type ExtensionProcesses = {
  readonly processes: readonly ChildProcess[];
  readonly kill: () => void;
  /** Resolves when all have ended. */
  readonly ended: Promise<void>;
};

/** Starts each extension in its own process group. `onExit` is called when one ends without being killed. */
export function startExtensions(
  extensions: readonly ExternalExtension[],
  options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly onLine: (line: string) => void;
    readonly onExit: (failure: PlatformFailure) => void;
  },
): ExtensionProcesses {
  let isKilled = false;
  const processes = extensions.map(({ file }) => {
    const child = startReaped([file], options);
    const lines = newLineSplitter(options.onLine);
    child.stdout?.on('data', (chunk: Buffer) => lines.write(chunk));
    child.stdout?.on('error', () => {});
    const exited = new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', (code, signal) => {
        lines.flush();
        if (!isKilled) options.onExit(crashFailure(exitFailure({ code, signal })));
        resolve();
      });
    });
    return { child, exited };
  });
  return {
    processes: processes.map(({ child }) => child),
    kill() {
      isKilled = true;
      for (const { child } of processes) if (isAlive(child) && child.pid !== undefined) killTree(child.pid);
    },
    ended: Promise.all(processes.map(({ exited }) => exited)).then(() => {}),
  };
}

function crashFailure({ message }: PlatformFailure): PlatformFailure {
  const reason = message.replace(/^Runtime exited (with error: )?/, '').replace(/^without.*/, 'exit code 0');
  return { kind: 'extension', errorType: 'Extension.Crash', message: reason };
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
