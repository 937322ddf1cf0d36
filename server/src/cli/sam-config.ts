import { existsSync, readFileSync } from 'node:fs';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import { OpenrayError } from '../errors.ts';
import { decodeText } from '../model/text-encoding.ts';

const FILES = ['samconfig.toml', 'samconfig.yaml', 'samconfig.yml'];

/** SAM's key → the flag of openray. All other keys of SAM concern containers or AWS and are ignored. */
const FLAGS: Readonly<Record<string, string>> = {
  template: 'template',
  template_file: 'template',
  env_vars: 'envVars',
  event: 'event',
  event_file: 'eventFile',
  region: 'region',
  profile: 'profile',
  port: 'port',
  host: 'host',
  debug_port: 'debugPort',
  debug_args: 'debugArgs',
  debug_function: 'debugFunction',
  output: 'output',
  log_file: 'logFile',
  static_dir: 'staticDir',
  ssl_cert_file: 'sslCertFile',
  ssl_key_file: 'sslKeyFile',
};

/** Flags as parameters of SAM, for `--save-params`, and the names of the flags that a samconfig file cannot hold. */
export function samParameters(flags: Readonly<Record<string, unknown>>) {
  const parameters: Record<string, string | readonly string[]> = {};
  const others: string[] = [];
  for (const [flag, value] of Object.entries(flags)) {
    // The last key of a flag is the one that SAM writes: `template_file`, not `template`.
    const key = Object.entries(FLAGS).findLast(([, name]) => name === flag)?.[0];
    // `--no-event` sets `event` to false, and the file holds only values.
    if (key !== undefined && value !== false) parameters[key] = String(value);
    else if (flag === 'parameterOverrides' && Array.isArray(value)) parameters.parameter_overrides = value.map(String);
    else others.push(flag);
  }
  return { parameters, others };
}

/** The samconfig file of this folder, if there is one. */
export function findSamConfig(): string | undefined {
  return FILES.find((name) => existsSync(name));
}

export type SamConfigOptions = {
  /** `local_invoke`, `local_start_api`, `local_start_lambda`, `remote_invoke`. */
  readonly command: string;
  readonly file?: string | undefined;
  /** Section of the file; `default` by default. */
  readonly configEnv?: string | undefined;
};

/**
 * Flags of a command in `samconfig.toml` (or its YAML form) of this folder; flags of the command win over flags of all
 * commands. Empty without such a file. Throws InvalidRequestException when the file cannot be read.
 */
export function readSamConfig({ command, file, configEnv = 'default' }: SamConfigOptions): Record<string, unknown> {
  const path = file ?? findSamConfig();
  if (path === undefined) return {};
  const sections = objectOf(objectOf(readValues(path))[configEnv]);
  const parameters = (name: string) => objectOf(objectOf(sections[name]).parameters);
  const values = { ...parameters('global'), ...parameters(command) };
  const flags: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const flag = FLAGS[key.replaceAll('-', '_')];
    if (flag !== undefined) flags[flag] = String(value);
  }
  const overrides = values.parameter_overrides;
  if (overrides !== undefined) flags.parameterOverrides = overrideTexts(overrides);
  return flags;
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
