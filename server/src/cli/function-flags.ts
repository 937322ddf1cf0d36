import { openSync, writeSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type Config, loadConfig } from '../config.ts';
import { OpenrayError } from '../errors.ts';
import { hasProfile, hostRegion, profileFiles } from '../lambda/runtime/aws-access.ts';
import type { DebugOptions } from '../lambda/runtime/interpreters.ts';
import { findSamConfig, hasEnvironment, readSamConfig, type SamParameters, samParameters } from './sam-config.ts';
import { saveParameters } from './save-params.ts';

/** Flags of the commands that run functions of a template. */
export type FunctionFlags = Readonly<Record<string, unknown>> & {
  readonly config?: string;
  readonly logFile?: string;
  readonly debugPort?: string;
  readonly debugArgs?: string;
  readonly debugFunction?: string;
  readonly configEnv?: string;
  readonly configFile?: string;
  readonly profile?: string;
  readonly saveParams?: boolean;
  /** Names of the flags on the command line; the others are defaults, or from the samconfig file. */
  readonly given?: readonly string[];
};

export function addFunctionFlags(command: Command): Command {
  command
    .option('-t, --template <file>', 'template (default: template.yaml, .yml or .json in this folder)')
    .option('-n, --env-vars <file>', "JSON file of the functions' environment variables")
    .option('--parameter-overrides <values...>', "values of the template's parameters, Key=Value")
    .option('--profile <name>', "profile of AWS's configuration files for --aws passthrough")
    .option('-d, --debug-port <port>', 'wait for a debugger on this port; functions then have no timeout')
    .option('--debug-args <arguments>', "arguments of the function's interpreter")
    .option('--debug-function <name>', 'logical id of the function to debug (default: all)')
    .option('-l, --log-file <file>', 'write the output of functions to this file, not to stderr')
    .option('--config-file <file>', 'samconfig file (default: samconfig.toml or .yaml in this folder)')
    .option('--config-env <name>', 'section of the samconfig file (default: "default")')
    .option('--save-params', 'save the given flags to the samconfig file');
  addLayerFlag(command);
  return addIgnoredFlags(command, [...IGNORED_VALUE_FLAGS.map((flag) => `${flag} <value>`), ...IGNORED_SWITCHES]);
}

export function addLayerFlag(command: Command): Command {
  const meaning = 'folder of a layer that the template names by ARN; can be repeated';
  return command.option('--layer <name=folder>', meaning, append);
}

/** Adds flags of SAM that have no effect here. A line on stderr names those that are given. */
export function addIgnoredFlags(command: Command, flags: readonly string[]): Command {
  const ignored = flags.map((text) => new Option(text).hideHelp());
  for (const option of ignored) command.addOption(option);
  return command.hook('preAction', () => warnOfIgnoredFlags(command, ignored));
}

function append(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Flags of SAM for containers and stacks. They are not refused, so that existing Makefiles work. */
const IGNORED_VALUE_FLAGS = [
  ...['--stack-name', '--docker-network', '--container-host', '--container-host-interface'],
  ...['--invoke-image', '-v, --docker-volume-basedir', '--layer-cache-basedir', '--warm-containers'],
  ...['--debugger-path', '--container-env-vars', '--add-host', '--tenant-id', '--runtime'],
  ...['--hook-name', '--durable-execution-name', '--terraform-plan-file'],
];
const IGNORED_SWITCHES = [
  ...['--skip-pull-image', '--force-image-build', '--shutdown'],
  ...['--no-memory-limit', '--mount-symlinks', '--debug'],
  ...['--beta-features', '--no-beta-features', '--skip-prepare-infra', '--prepare-infra'],
];

function warnOfIgnoredFlags(command: Command, ignored: readonly Option[]): void {
  const given = ignored.filter((option) => {
    const name = option.attributeName();
    // `--beta-features` and `--no-beta-features` are one value.
    return command.getOptionValueSource(name) === 'cli' && option.negate === (command.getOptionValue(name) === false);
  });
  if (given.length === 0) return;
  const names = given.map(({ long }) => long).join(', ');
  printMessage(`${names}: openray ignores ${given.length === 1 ? 'this option' : 'these options'} of SAM`);
}

/** Prints each line of a function to stderr, or appends it to the file of `--log-file`. */
export function functionOutput({ logFile }: FunctionFlags): (line: string) => void {
  const file = logFile === undefined ? undefined : openLogFile(logFile);
  return (line) => {
    const text = line.endsWith('\n') ? line : `${line}\n`;
    if (file === undefined) process.stderr.write(text);
    else writeSync(file, text);
  };
}

function openLogFile(path: string): number {
  try {
    return openSync(path, 'a');
  } catch (cause) {
    const sentence = `--log-file ${path} cannot be written: ${(cause as Error).message}`;
    throw new OpenrayError('InvalidRequestException', sentence, { cause });
  }
}

/** Order of precedence: flags of the command line, flags of samconfig, defaults of the command. */
export function withSamConfig<Flags extends FunctionFlags>(command: Command, section: string, flags: Flags): Flags {
  const { configFile: file, configEnv } = flags;
  const { options } = command;
  const given = Object.fromEntries(
    Object.entries(flags).filter(([name]) => command.getOptionValueSource(name) !== 'default'),
  );
  if (flags.saveParams === true) saveFlags(section, flags, samParameters(options, given));
  const fromFile = readSamConfig({ command: section, options, file, configEnv });
  samConfigWarnings(flags).forEach(printMessage);
  return { ...flags, ...fromFile, ...given, given: Object.keys(given) };
}

/** Prints the flags that a samconfig file of openray cannot hold. */
function saveFlags(
  section: string,
  { configFile, configEnv = 'default' }: FunctionFlags,
  { parameters, saved, others }: SamParameters,
): void {
  const left = others.length === 0 ? '' : `; not saved: ${others.join(', ')}`;
  if (saved.length === 0) {
    printMessage(`--save-params: there is no flag to save${left}`);
    return;
  }
  const file = configFile ?? findSamConfig() ?? 'samconfig.toml';
  saveParameters(file, [configEnv, section], parameters);
  printMessage(`${saved.join(', ')} saved to ${file}${left}`);
}

function samConfigWarnings({ configEnv, configFile: file = findSamConfig() }: FunctionFlags): readonly string[] {
  if (configEnv === undefined) return [];
  if (file === undefined) return [`--config-env ${configEnv} has no effect: there is no samconfig file here`];
  return hasEnvironment(file, configEnv)
    ? []
    : [`--config-env ${configEnv} has no effect: ${file} has no such section`];
}

/** A line on stderr about the command line or the template. */
export function printMessage(sentence: string): void {
  process.stderr.write(`openray: ${sentence}\n`);
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
  functionFlagWarnings(flags, { aws, hasEmulator, environmentVariables }).forEach(printMessage);
  return { config: { ...config, aws, region }, environmentVariables };
}

type AwsChoice = Pick<FunctionSettings, 'environmentVariables'> & {
  readonly aws: Config['aws'];
  readonly hasEmulator: boolean;
};

/** One sentence for each given flag that has no effect. */
function functionFlagWarnings(flags: FunctionFlags, choice: AwsChoice): readonly string[] {
  const { debugPort, debugArgs, debugFunction } = flags;
  const debugFlags = [
    ...(debugArgs === undefined ? [] : ['--debug-args']),
    ...(debugFunction === undefined ? [] : ['--debug-function']),
  ];
  return [
    ...(debugPort === undefined && debugFlags.length > 0
      ? [`${debugFlags.join(', ')}: no effect without --debug-port`]
      : []),
    ...profileWarnings(flags, choice),
  ];
}

function profileWarnings({ profile, given }: FunctionFlags, choice: AwsChoice): readonly string[] {
  if (profile === undefined) return [];
  const { aws, hasEmulator, environmentVariables } = choice;
  if (aws === 'passthrough') {
    const files = profileFiles(environmentVariables);
    return hasProfile(environmentVariables, profile)
      ? []
      : [`--profile ${profile}: there is no such profile in ${files.join(' and ')}; functions get no credentials`];
  }
  // Many samconfig files name the profile for sam deploy.
  if (given?.includes('profile') !== true) return [];
  const reason = hasEmulator ? 'with --aws-endpoint' : 'with --aws none';
  return [`--profile ${profile} has no effect ${reason}; functions get its credentials with --aws passthrough`];
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
