import { type Command, Option } from 'commander';
import { OpenrayError } from '../errors.ts';
import type { DebugOptions } from '../lambda/runtime/runtime-command.ts';
import { readSamConfig } from './sam-config.ts';

/** What every command takes that runs functions of a template. */
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
    .option('-t, --template <file>', 'template (template.yaml, .yml or .json here)')
    .option('-n, --env-vars <file>', 'JSON file of variables by function')
    .option('--parameter-overrides <values...>', "values of the template's parameters, Key=Value")
    .option('-d, --debug-port <port>', 'wait for a debugger on this port; there is no timeout then')
    .option('--debug-args <arguments>', "further arguments of the function's interpreter")
    .option('--debug-function <name>', 'logical id of the function to debug, when it is not each')
    .option('--config-file <file>', 'samconfig file (samconfig.toml or .yaml here)')
    .option('--config-env <name>', 'section of the samconfig file (default)');
  for (const flag of IGNORED_VALUE_FLAGS) command.addOption(new Option(`${flag} <value>`).hideHelp());
  for (const flag of IGNORED_SWITCHES) command.addOption(new Option(flag).hideHelp());
  return command;
}

/** Flags of SAM that say nothing here: containers, stacks and profiles. Taken, so that a Makefile need not change. */
const IGNORED_VALUE_FLAGS = [
  ...['--stack-name', '--profile', '--docker-network', '--container-host', '--container-host-interface'],
  ...['--invoke-image', '--log-file', '--docker-volume-basedir', '--layer-cache-basedir', '--warm-containers'],
  ...['--debugger-path', '--container-env-vars', '--add-host', '--static-dir', '--tenant-id', '--runtime'],
];
const IGNORED_SWITCHES = [
  ...['--no-event', '--skip-pull-image', '--force-image-build', '--shutdown'],
  ...['--no-memory-limit', '--mount-symlinks', '--debug'],
];

/** The flags over what samconfig says for the command; the command's own defaults below both. */
export function withSamConfig<Flags extends FunctionFlags>(command: Command, section: string, flags: Flags): Flags {
  const { configFile: file, configEnv: environment } = flags;
  const fromFile = readSamConfig({ command: section, file, configEnv: environment });
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
