import { openSync, writeSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type Config, loadConfig } from '../config.ts';
import { OpenrayError } from '../errors.ts';
import { hostRegion } from '../lambda/runtime/aws-access.ts';
import type { DebugOptions } from '../lambda/runtime/interpreters.ts';
import { findSamConfig, readSamConfig, samParameters } from './sam-config.ts';
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
};

export function addFunctionFlags(command: Command): Command {
  command
    .option('-t, --template <file>', 'template (default: template.yaml, .yml or .json in this folder)')
    .option('-n, --env-vars <file>', 'JSON file of environment variables by function')
    .option('--parameter-overrides <values...>', "values of the template's parameters, Key=Value")
    .option('--profile <name>', "profile of AWS's configuration files for --aws passthrough")
    .option('-d, --debug-port <port>', 'wait for a debugger on this port, without a timeout')
    .option('--debug-args <arguments>', "further arguments of the function's interpreter")
    .option('--debug-function <name>', 'logical id of the function to debug (default: all)')
    .option('-l, --log-file <file>', 'write the output of functions to this file, not to stderr')
    .option('--config-file <file>', 'samconfig file (default: samconfig.toml or .yaml in this folder)')
    .option('--config-env <name>', 'section of the samconfig file (default: default)')
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

/** Flags of SAM for containers and stacks: accepted without an effect, so that existing Makefiles work. */
const IGNORED_VALUE_FLAGS = [
  ...['--stack-name', '--docker-network', '--container-host', '--container-host-interface'],
  ...['--invoke-image', '-v, --docker-volume-basedir', '--layer-cache-basedir', '--warm-containers'],
  ...['--debugger-path', '--container-env-vars', '--add-host', '--tenant-id', '--runtime'],
];
const IGNORED_SWITCHES = [
  ...['--skip-pull-image', '--force-image-build', '--shutdown'],
  ...['--no-memory-limit', '--mount-symlinks', '--debug'],
];

function warnOfIgnoredFlags(command: Command, ignored: readonly Option[]): void {
  const given = ignored.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
  if (given.length === 0) return;
  const names = given.map(({ long }) => long).join(', ');
  process.stderr.write(`openray: ${names}: accepted for SAM's sake, without an effect here\n`);
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
  const given = Object.entries(flags).filter(([name]) => command.getOptionValueSource(name) !== 'default');
  if (flags.saveParams === true) saveFlags(section, flags, Object.fromEntries(given));
  const fromFile = readSamConfig({ command: section, file, configEnv });
  return { ...flags, ...fromFile, ...Object.fromEntries(given) };
}

/** Prints the flags that a samconfig file of openray cannot hold. */
function saveFlags(section: string, { configFile, configEnv = 'default' }: FunctionFlags, given: FunctionFlags): void {
  const { saveParams: _saved, configFile: _file, configEnv: _env, ...toSave } = given;
  // Without the emulator, which samconfig cannot hold, the saved profile would send the next calls to its account.
  const { profile, ...withoutProfile } = toSave;
  const hasEmulator = toSave.awsEndpoint !== undefined;
  const { parameters, others: unknown } = samParameters(hasEmulator ? withoutProfile : toSave);
  const others = hasEmulator && profile !== undefined ? [...unknown, 'profile'] : unknown;
  const file = configFile ?? findSamConfig() ?? 'samconfig.toml';
  saveParameters(file, [configEnv, section], parameters);
  const left = others.length === 0 ? '' : `; not saved: ${others.join(', ')}`;
  process.stderr.write(`openray: ${Object.keys(parameters).join(', ')} saved to ${file}${left}\n`);
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
