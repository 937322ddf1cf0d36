import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import type { FunctionSpec } from '../spec/function-spec.ts';
import {
  debugOf,
  type Interpreters,
  type RunnableCode,
  type RuntimeCommand,
  type StartVariables,
} from './interpreters.ts';
import { javaCommand } from './java-command.ts';
import { findProgram, isExecutable } from './programs.ts';
import { rubyCommand } from './ruby-command.ts';

/** The command that runs a function. The customer's wrapper comes first if there is one. */
export function runtimeCommand(
  spec: FunctionSpec,
  code: RunnableCode,
  interpreters: Interpreters,
  { wrapper, javaToolOptions }: StartVariables,
): RuntimeCommand {
  const found = managedCommand(spec, code, interpreters, javaToolOptions);
  // Only managed runtimes start the wrapper; `provided` is not managed.
  if (!found.ok || wrapper === undefined || spec.runtime.startsWith('provided')) return found;
  return { ...found, command: [wrapper, ...found.command] };
}

function managedCommand(
  spec: FunctionSpec,
  code: RunnableCode,
  interpreters: Interpreters,
  toolOptions: string | undefined,
): RuntimeCommand {
  const { runtime, logicalId } = spec;
  if (runtime.startsWith('nodejs')) return nodeCommand(spec, interpreters);
  if (runtime.startsWith('python3')) return pythonCommand(spec, interpreters);
  if (runtime.startsWith('java')) {
    return javaCommand(spec, code, interpreters, { debug: debugOf(logicalId, interpreters), toolOptions });
  }
  if (runtime.startsWith('ruby')) return rubyCommand(spec, interpreters);
  return bootstrapCommand(spec, code.codeDir);
}

function nodeCommand({ logicalId, runtime }: FunctionSpec, interpreters: Interpreters): RuntimeCommand {
  const { nodePath, runtimesDir } = interpreters;
  const runtimeDir = join(runtimesDir, 'node');
  const wanted = /^nodejs(\d+)/.exec(runtime)?.[1];
  const have = nodePath === process.execPath ? process.versions.node.split('.')[0] : undefined;
  const warning =
    have === undefined || wanted === undefined || wanted === have
      ? undefined
      : `${logicalId} asks for ${runtime} and runs on Node ${process.versions.node}.`;
  const debug = debugOf(logicalId, interpreters);
  const debugArgs = debug === undefined ? [] : [`--inspect-brk=127.0.0.1:${debug.port}`, ...debug.args];
  return { ok: true, command: [nodePath, ...debugArgs, join(runtimeDir, 'bootstrap.cjs')], runtimeDir, warning };
}

function pythonCommand(spec: FunctionSpec, interpreters: Interpreters): RuntimeCommand {
  const { pythonPath, runtimesDir, hostVariables, packagesDir } = interpreters;
  const { logicalId, runtime } = spec;
  const venv = hostVariables.VIRTUAL_ENV;
  const exact = findProgram(runtime, hostVariables.PATH);
  const program =
    pythonPath ??
    (venv === undefined ? undefined : findProgram(join(venv, 'bin', 'python3'), undefined)) ??
    exact ??
    findProgram('python3', hostVariables.PATH);
  if (program === undefined) {
    return { ok: false, reason: `${logicalId} needs ${runtime}: install Python 3, or name it with --python.` };
  }
  const runtimeDir = join(runtimesDir, 'python');
  const isOther = pythonPath === undefined && venv === undefined && exact === undefined;
  const warning = isOther ? `${logicalId} asks for ${runtime} and runs on the python3 of this machine.` : undefined;
  const debug = debugOf(logicalId, interpreters);
  const debugArgs =
    debug === undefined
      ? []
      : ['-m', 'debugpy', '--listen', `127.0.0.1:${debug.port}`, '--wait-for-client', ...debug.args];
  const packages = packagesDir === undefined ? [] : [join(packagesDir, 'python')].filter(existsSync);
  const command = [program, ...debugArgs, join(runtimeDir, 'bootstrap.py'), ...packages];
  return { ok: true, command, runtimeDir, warning };
}

function bootstrapCommand(spec: FunctionSpec, codeDir: string): RuntimeCommand {
  const bootstrap = [codeDir, ...spec.layerDirs.toReversed()].map((dir) => join(dir, 'bootstrap')).find(existsSync);
  if (bootstrap === undefined) {
    return { ok: false, reason: "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]" };
  }
  if (!isExecutable(bootstrap)) return { ok: false, reason: 'fork/exec /var/task/bootstrap: permission denied' };
  const hostArchitecture = arch() === 'arm64' ? 'arm64' : 'x86_64';
  const warning =
    spec.architecture === hostArchitecture
      ? undefined
      : `${spec.logicalId} is built for ${spec.architecture}; this machine is ${hostArchitecture}.`;
  return { ok: true, command: [bootstrap], runtimeDir: codeDir, warning };
}

/** Runtime version and ARN of the INIT_START line. The ARN depends on the command that really runs. */
export function runtimeVersion(runtime: string, command: readonly string[], region: string) {
  const family = /^(nodejs|python|java|ruby|provided)/.exec(runtime)?.[1] ?? runtime;
  const detail = runtime.slice(family.length).replace(/^\./, '').replace(/\.x$/, '');
  const version = `${family}:${detail === '' ? 'local' : detail}`;
  const hash = createHash('sha256')
    .update(`${version} ${command.join(' ')}`)
    .digest('hex');
  return { version, arn: `arn:aws:lambda:${region}::runtime:${hash}` };
}
