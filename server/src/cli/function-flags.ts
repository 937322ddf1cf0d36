import { type Command, Option } from 'commander';
import { type Config, loadConfig } from '../config.ts';
import { OpenrayError } from '../errors.ts';
import { hostRegion } from '../lambda/runtime/aws-access.ts';
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
  readonly profile?: string;
};

export function addFunctionFlags(command: Command): Command {
  command
    .option('-t, --template <file>', 'template (default: template.yaml, .yml or .json in this folder)')
    .option('-n, --env-vars <file>', 'JSON file of environment variables by function')
    .option('--parameter-overrides <values...>', "values of the template's parameters, Key=Value")
    .option('--profile <name>', "profile of AWS's configuration files for --aws passthrough")
    .option('--layer <name=folder>', 'folder of a layer that the template names by ARN; can be repeated', append)
    .option('-d, --debug-port <port>', 'wait for a debugger on this port, without a timeout')
    .option('--debug-args <arguments>', "further arguments of the function's interpreter")
    .option('--debug-function <name>', 'logical id of the function to debug (default: all)')
    .option('--config-file <file>', 'samconfig file (default: samconfig.toml or .yaml in this folder)')
    .option('--config-env <name>', 'section of the samconfig file (default: default)');
  for (const flag of IGNORED_VALUE_FLAGS) command.addOption(new Option(`${flag} <value>`).hideHelp());
  for (const flag of IGNORED_SWITCHES) command.addOption(new Option(flag).hideHelp());
  return command;
}

function append(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Flags of SAM for containers and stacks: accepted and ignored, so that existing Makefiles work. */
const IGNORED_VALUE_FLAGS = [
  ...['--stack-name', '--docker-network', '--container-host', '--container-host-interface'],
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

/** The settings of a command that runs functions, and the variables of its caller. */
export type FunctionSettings = {
  readonly config: Config;
  readonly environmentVariables: Readonly<Record<string, string | undefined>>;
};

/**
 * Reads the settings. Without `--aws`, `defaultAws` is in force, except with an emulator: code that does not know the
 * emulator's variables must not reach the caller's account. With either of them the region of the caller's shell or
 * profile is that of the functions, unless `--region` names another.
 */
export function readFunctionSettings(
  flags: FunctionFlags,
  defaultAws: Config['aws'],
  variables: Readonly<Record<string, string | undefined>>,
): FunctionSettings {
  const environmentVariables = withProfile(variables, flags.profile);
  const { config, sources } = loadConfig(flags, variables, flags.config);
  const hasEmulator = config.awsEndpoint !== undefined;
  const aws = sources.aws !== 'default' ? config.aws : hasEmulator ? 'none' : defaultAws;
  const isRegionOfCaller = sources.region === 'default' && (aws === 'passthrough' || hasEmulator);
  const region = (isRegionOfCaller ? hostRegion(environmentVariables) : undefined) ?? config.region;
  return { config: { ...config, aws, region }, environmentVariables };
}

/** As in AWS's command line, the profile of the flag wins over keys in the shell. */
function withProfile(variables: FunctionSettings['environmentVariables'], profile: string | undefined) {
  if (profile === undefined) return variables;
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, ...others } = variables;
  return { ...others, AWS_PROFILE: profile };
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
