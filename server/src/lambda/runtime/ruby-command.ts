import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FunctionSpec } from '../spec/function-spec.ts';
import type { Interpreters, RuntimeCommand } from './interpreters.ts';
import { findProgram } from './programs.ts';

/** AWS's runtime client for Ruby, with its version. */
export const RUBY_CLIENT_GEM = 'aws_lambda_ric';
export const RUBY_CLIENT_VERSION = '3.1.3';

/** Starts AWS's client for Ruby by openray's bootstrap: by the Ruby of that version, else by any Ruby 3. */
export function rubyCommand(
  { logicalId, runtime }: FunctionSpec,
  { hostVariables, packagesDir, runtimesDir }: Interpreters,
): RuntimeCommand {
  const program = findProgram(runtime, hostVariables.PATH) ?? findProgram('ruby', hostVariables.PATH);
  const version = program === undefined ? undefined : versionOf(program);
  if (program === undefined || version === undefined || !/^[3-9]\./.test(version)) {
    const has = version === undefined ? '' : `; ${program} is Ruby ${version}`;
    return { ok: false, reason: `${logicalId} needs ${runtime}${has}: install Ruby 3, and put it first on the PATH.` };
  }
  const client = packagesDir === undefined ? undefined : clientFolder(join(packagesDir, 'ruby', 'gems'));
  if (client === undefined) {
    const reason = `${logicalId} needs ${runtime}: run openray runtime install ruby, once on this machine.`;
    return { ok: false, reason };
  }
  const runtimeDir = join(runtimesDir, 'ruby');
  const warning = `ruby${version}.`.startsWith(`${runtime}.`)
    ? undefined
    : `${logicalId} asks for ${runtime} and runs on Ruby ${version}.`;
  return { ok: true, command: [program, join(runtimeDir, 'bootstrap.rb'), client], runtimeDir, warning };
}

function clientFolder(gems: string): string | undefined {
  if (!existsSync(gems)) return undefined;
  const name = readdirSync(gems).findLast((folder) => folder.startsWith(`${RUBY_CLIENT_GEM}-`));
  return name === undefined ? undefined : join(gems, name, 'lib');
}

/** Kept, since each question starts a process. */
const versions = new Map<string, string>();

function versionOf(program: string): string | undefined {
  const known = versions.get(program);
  if (known !== undefined) return known;
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 5000 });
  const version = /^ruby (\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1];
  if (version !== undefined) versions.set(program, version);
  return version;
}
