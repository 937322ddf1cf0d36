import { existsSync, readFileSync } from 'node:fs';
import type { Option } from 'commander';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { OpenrayError } from '../errors.ts';
import { decodeText } from '../model/text-encoding.ts';

const FILES = ['samconfig.toml', 'samconfig.yaml', 'samconfig.yml'];

/** Flags that say how to use the file itself. */
const ABOUT_THE_FILE = ['configFile', 'configEnv', 'saveParams'];

/** Flags that the file never holds: URLs and headers with secrets, and the flag that chooses the file's section. */
const NOT_SAVED = ['storeUrl', 'forwardOtlp', 'forwardXray', 'forwardOtlpHeaders', 'endpointUrl'];

/** SAM's key of a flag: `env_vars`, `no_watch`. */
function keyOf(option: Option): string {
  const name = option.attributeName() === 'template' ? 'template-file' : option.name();
  return name.replaceAll('-', '_');
}

export type SamParameters = {
  readonly parameters: Readonly<Record<string, string | boolean | readonly string[]>>;
  /** Flags in `parameters`, with their dashes. */
  readonly saved: readonly string[];
  /** Flags that are not in `parameters`. */
  readonly others: readonly string[];
};

/** The given flags of a command as parameters of SAM, for `--save-params`. */
export function samParameters(options: readonly Option[], given: Readonly<Record<string, unknown>>): SamParameters {
  const found = Object.entries(given).flatMap(([flag, value]) => {
    const option = options.find((one) => one.attributeName() === flag && one.negate === (value === false));
    return option === undefined || ABOUT_THE_FILE.includes(flag) ? [] : [{ flag, option, value }];
  });
  const isSaved = ({ flag, option }: (typeof found)[number]) => !option.hidden && !NOT_SAVED.includes(flag);
  const longNames = (some: typeof found) => some.map(({ option }) => `--${option.name()}`);
  return {
    parameters: Object.fromEntries(
      found.filter(isSaved).map(({ option, value }) => [keyOf(option), savedValue(value)]),
    ),
    saved: longNames(found.filter(isSaved)),
    others: longNames(found.filter((one) => !isSaved(one))),
  };
}

/** A switch is `true`, also `--no-watch`, whose key is `no_watch`. */
function savedValue(value: unknown): string | boolean | readonly string[] {
  if (typeof value === 'boolean') return true;
  return Array.isArray(value) ? value.map(String) : String(value);
}

/** The samconfig file of this folder, if there is one. */
export function findSamConfig(): string | undefined {
  return FILES.find((name) => existsSync(name));
}

export type SamConfigOptions = {
  /** `local_invoke`, `local_start_api`, `local_start_lambda`, `remote_invoke`. */
  readonly command: string;
  /** Of the command. All other keys of SAM concern containers or AWS and are ignored. */
  readonly options: readonly Option[];
  readonly file?: string | undefined;
  /** Section of the file; `default` by default. */
  readonly configEnv?: string | undefined;
};

/**
 * Flags of a command in `samconfig.toml` (or its YAML form) of this folder; flags of the command win over flags of all
 * commands. Empty without such a file. Throws InvalidRequestException when the file cannot be read.
 */
export function readSamConfig({
  command,
  options,
  file,
  configEnv = 'default',
}: SamConfigOptions): Record<string, unknown> {
  const path = file ?? findSamConfig();
  if (path === undefined) return {};
  const sections = objectOf(objectOf(readValues(path))[configEnv]);
  const parameters = (name: string) => objectOf(objectOf(sections[name]).parameters);
  const values = { ...parameters('global'), ...parameters(command) };
  const flags: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const wanted = key.replaceAll('-', '_').replace(/^template$/, 'template_file');
    const option = options.find((one) => !one.hidden && keyOf(one) === wanted);
    if (option === undefined) continue;
    const flag = option.attributeName();
    if (![...ABOUT_THE_FILE, ...NOT_SAVED].includes(flag)) flags[flag] = flagValue(option, value);
  }
  return flags;
}

/** The value that the flag has on the command line. Undefined for a switch that is off. */
function flagValue(option: Option, value: unknown): unknown {
  const isOn = value === true || value === 'true';
  if (option.negate) return isOn ? false : undefined;
  if (option.isBoolean()) return isOn ? true : undefined;
  if (option.attributeName() === 'parameterOverrides') return overrideTexts(value);
  if (option.optional && isOn) return true;
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'object' && value !== null
    ? Object.entries(value).map(([key, entry]) => `${key}=${String(entry)}`)
    : String(value);
}

/** Accepts `"A=1 B=2"`, a list of such texts, or a map. */
function overrideTexts(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(overrideTexts);
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.entries(value).map(([key, entry]) => `${key}="${String(entry)}"`);
}

function readValues(file: string): unknown {
  try {
    const text = decodeText(readFileSync(file));
    return file.endsWith('.toml') ? parseToml(text) : parseYaml(text);
  } catch (cause) {
    const reason = (cause as Error).message.split('\n', 1)[0];
    throw new OpenrayError('InvalidRequestException', `${file} cannot be read: ${reason}`, { cause });
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** Whether the samconfig file has the section of `--config-env`. Throws InvalidRequestException as `readSamConfig` does. */
export function hasEnvironment(file: string, configEnv: string): boolean {
  return Object.hasOwn(objectOf(readValues(file)), configEnv);
}
