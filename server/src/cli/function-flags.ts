import { type Command, Option } from 'commander';
import { OpenrayError } from '../errors.ts';
import type { DebugOptions } from '../lambda/runtime/runtime-command.ts';
import { readSamConfig } from './sam-config.ts';

/** Flags of the commands that run functions of a template. */
export type FunctionFlags = Readonly<Record<string, unknown>> & {
  readonly config?: string;
  readonly debugPort?: string;
  readonly debugArgs?: string;
  readonly debugFunction?: string;
  readonly configEnv?: string;
  readonly configFile?: string;
};

export function addFunctionFlags(command: Command): Command {
  command
    .option('-t, --template <file>', 'template (default: template.yaml, .yml or .json in this folder)')
    .option('-n, --env-vars <file>', 'JSON file of environment variables by function')
    .option('--parameter-overrides <values...>', "values of the template's parameters, Key=Value")
    .option('-d, --debug-port <port>', 'wait for a debugger on this port, without a timeout')
    .option('--debug-args <arguments>', "further arguments of the function's interpreter")
    .option('--debug-function <name>', 'logical id of the function to debug (default: all)')
    .option('--config-file <file>', 'samconfig file (default: samconfig.toml or .yaml in this folder)')
    .option('--config-env <name>', 'section of the samconfig file (default: default)');
  for (const flag of IGNORED_VALUE_FLAGS) command.addOption(new Option(`${flag} <value>`).hideHelp());
  for (const flag of IGNORED_SWITCHES) command.addOption(new Option(flag).hideHelp());
  return command;
}

/** Flags of SAM for containers, stacks and profiles: accepted and ignored, so that existing Makefiles work. */
const IGNORED_VALUE_FLAGS = [
  ...['--stack-name', '--profile', '--docker-network', '--container-host', '--container-host-interface'],
  ...['--invoke-image', '--log-file', '--docker-volume-basedir', '--layer-cache-basedir', '--warm-containers'],
  ...['--debugger-path', '--container-env-vars', '--add-host', '--static-dir', '--tenant-id', '--runtime'],
];
const IGNORED_SWITCHES = [
  ...['--skip-pull-image', '--force-image-build', '--shutdown'],
  ...['--no-memory-limit', '--mount-symlinks', '--debug'],
];

/** Order of precedence: flags of the command line, flags of samconfig, defaults of the command. */
export function withSamConfig<Flags extends FunctionFlags>(command: Command, section: string, flags: Flags): Flags {
  const { configFile: file, configEnv } = flags;
  const fromFile = readSamConfig({ command: section, file, configEnv });
  const given = Object.entries(flags).filter(([name]) => command.getOptionValueSource(name) !== 'default');
  return { ...flags, ...fromFile, ...Object.fromEntries(given) };
}

/** Undefined without `--debug-port`. */
export function debugOptions({ debugPort, debugArgs, debugFunction }: FunctionFlags): DebugOptions | undefined {
  if (debugPort === undefined) return undefined;
  const port = Number(debugPort);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new OpenrayError('InvalidRequestException', `--debug-port ${debugPort} is not a port`);
  }
  const args = (debugArgs ?? '').split(/\s+/).filter((text) => text !== '');
  return { port, args, functionId: debugFunction };
}
