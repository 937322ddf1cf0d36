import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync } from 'node:fs';
import { arch } from 'node:os';
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path';
import type { FunctionSpec } from '../spec/function-spec.ts';

export type Interpreters = {
  /** Program for `nodejs*`; the Node that runs openray unless told otherwise. */
  readonly nodePath: string;
  /** Program for `python3*`; looked up when undefined: the active virtual environment, `python3.N`, `python3`. */
  readonly pythonPath: string | undefined;
  /** Folder with openray's runtime clients, `node/` and `python/`. */
  readonly runtimesDir: string;
  /** Waits for a debugger before anything of the function runs. */
  readonly debug?: DebugOptions | undefined;
  /** For `PATH` and `VIRTUAL_ENV`. */
  readonly hostVariables: Readonly<Record<string, string | undefined>>;
};

export type DebugOptions = {
  readonly port: number;
  /** Further arguments of the interpreter. */
  readonly args: readonly string[];
  /** Logical id; undefined for whichever function runs. */
  readonly functionId: string | undefined;
};

export type RuntimeCommand =
  | {
      readonly ok: true;
      readonly command: readonly string[];
      readonly runtimeDir: string;
      /** What to tell the user once. */
      readonly warning: string | undefined;
    }
  /** Nothing can be started; the sentence says what is missing. */
  | { readonly ok: false; readonly reason: string };

/** The program that serves a function, with the customer's wrapper in front where there is one. */
export function runtimeCommand(
  spec: FunctionSpec,
  codeDir: string,
  interpreters: Interpreters,
  wrapper: string | undefined,
): RuntimeCommand {
  const found = managedCommand(spec, codeDir, interpreters);
  // `provided` has no managed runtime that would look for a wrapper.
  if (!found.ok || wrapper === undefined || spec.runtime.startsWith('provided')) return found;
  return { ...found, command: [wrapper, ...found.command] };
}

function managedCommand(spec: FunctionSpec, codeDir: string, interpreters: Interpreters): RuntimeCommand {
  const { runtime } = spec;
  if (runtime.startsWith('nodejs')) return nodeCommand(spec, interpreters);
  if (runtime.startsWith('python3')) return pythonCommand(spec, interpreters);
  return bootstrapCommand(spec, codeDir);
}

function nodeCommand({ logicalId, runtime }: FunctionSpec, interpreters: Interpreters): RuntimeCommand {
  const { nodePath, runtimesDir } = interpreters;
  const runtimeDir = join(runtimesDir, 'node');
  const wanted = /^nodejs(\d+)/.exec(runtime)?.[1];
  const have = nodePath === process.execPath ? process.versions.node.split('.')[0] : undefined;
  const note =
    have === undefined || wanted === undefined || wanted === have
      ? undefined
      : `${logicalId} asks for ${runtime} and runs on Node ${process.versions.node}.`;
  const debug = debugOf(logicalId, interpreters);
  const debugArgs = debug === undefined ? [] : [`--inspect-brk=127.0.0.1:${debug.port}`, ...debug.args];
  return { ok: true, command: [nodePath, ...debugArgs, join(runtimeDir, 'bootstrap.cjs')], runtimeDir, warning: note };
}

function pythonCommand(spec: FunctionSpec, interpreters: Interpreters): RuntimeCommand {
  const { pythonPath, runtimesDir, hostVariables: host } = interpreters;
  const { logicalId, runtime } = spec;
  const venv = host.VIRTUAL_ENV;
  const exact = findProgram(runtime, host.PATH);
  const program =
    pythonPath ??
    (venv === undefined ? undefined : findProgram(join(venv, 'bin', 'python3'), undefined)) ??
    exact ??
    findProgram('python3', host.PATH);
  if (program === undefined) {
    return { ok: false, reason: `${logicalId} needs ${runtime}: install Python 3, or name it with --python.` };
  }
  const runtimeDir = join(runtimesDir, 'python');
  const isOther = pythonPath === undefined && venv === undefined && exact === undefined;
  const note = isOther ? `${logicalId} asks for ${runtime} and runs on the python3 of this machine.` : undefined;
  const debug = debugOf(logicalId, interpreters);
  const debugArgs =
    debug === undefined
      ? []
      : ['-m', 'debugpy', '--listen', `127.0.0.1:${debug.port}`, '--wait-for-client', ...debug.args];
  return { ok: true, command: [program, ...debugArgs, join(runtimeDir, 'bootstrap.py')], runtimeDir, warning: note };
}

export function debugOf(logicalId: string, { debug }: Pick<Interpreters, 'debug'>): DebugOptions | undefined {
  return debug === undefined || (debug.functionId ?? logicalId) === logicalId ? debug : undefined;
}

function bootstrapCommand(spec: FunctionSpec, codeDir: string): RuntimeCommand {
  const bootstrap = [codeDir, ...spec.layerDirs.toReversed()].map((dir) => join(dir, 'bootstrap')).find(existsSync);
  if (bootstrap === undefined) {
    return { ok: false, reason: "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]" };
  }
  if (!isExecutable(bootstrap)) return { ok: false, reason: 'fork/exec /var/task/bootstrap: permission denied' };
  const host = arch() === 'arm64' ? 'arm64' : 'x86_64';
  const note =
    spec.architecture === host ? undefined : `${spec.logicalId} is built for ${spec.architecture}; this is ${host}.`;
  return { ok: true, command: [bootstrap], runtimeDir: codeDir, warning: note };
}

/** What INIT_START names: the runtime and the version that really runs it. */
export function runtimeVersion(runtime: string, command: readonly string[], region: string) {
  const family = /^(nodejs|python|provided)/.exec(runtime)?.[1] ?? runtime;
  const detail = runtime.slice(family.length).replace(/^\./, '').replace(/\.x$/, '');
  const version = `${family}:${detail === '' ? 'local' : detail}`;
  const hash = createHash('sha256')
    .update(`${version} ${command.join(' ')}`)
    .digest('hex');
  return { version, arn: `arn:aws:lambda:${region}::runtime:${hash}` };
}

function findProgram(name: string, path: string | undefined): string | undefined {
  if (isAbsolute(name)) return isExecutable(name) ? name : undefined;
  const folders = (path ?? '').split(delimiter).filter(isAbsolute);
  return folders.map((folder) => join(folder, name)).find((file) => isExecutable(file) && !isEmptyShim(file));
}

/** Whether each shim asked for so far is one without a program. */
const emptyShims = new Map<string, boolean>();

/** Version managers (pyenv, asdf, mise) put a shim on the PATH for every version that any project has; few may run here. */
function isEmptyShim(file: string): boolean {
  if (basename(dirname(file)) !== 'shims') return false;
  const known = emptyShims.get(file);
  if (known !== undefined) return known;
  const isEmpty = spawnSync(file, ['--version'], { stdio: 'ignore', timeout: 5000 }).status !== 0;
  emptyShims.set(file, isEmpty);
  return isEmpty;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
