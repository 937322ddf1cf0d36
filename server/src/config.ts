import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { OpenrayError } from './errors.ts';
import { OTLP_PROTOCOLS } from './forward/otlp-endpoint.ts';
import { maskStoreUrl } from './store/store-url.ts';

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

const port = z.coerce.number().int().min(0).max(65_535);
/** A port of its own, or `none` for no such listener. */
const optionalPort = z.union([z.literal('none'), port]);
const count = z.coerce.number().int().positive();
const bytes = z.coerce.number().int().positive();
const commaSeparated = z.union([z.array(z.string()), z.string().transform((text) => text.split(',').filter(Boolean))]);

const httpUrl = z
  .string()
  .refine((text) => /^https?:\/\//.test(text) && URL.canParse(text), 'must be an http or https URL');
const awsRegion = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be an AWS region or an http URL');

/** Every setting, a line each. The name of a flag is the key in kebab-case, of a variable `OPENRAY_` and SNAKE_CASE. */
const SETTINGS = {
  host: [z.string().min(1).default('127.0.0.1'), 'address to listen on'],
  port: [port.default(2000), 'the one port: UDP daemon, X-Ray API, Invoke API, OTLP, console; 0 takes a free one'],
  otlpGrpcPort: [optionalPort.default(4317), "OpenTelemetry's gRPC port; 0 takes a free one, none switches it off"],
  otlpHttpPort: [optionalPort.default(4318), "OpenTelemetry's HTTP port; 0 takes a free one, none switches it off"],
  otlpAnnotations: [
    commaSeparated.default([]),
    'attributes of spans that become annotations, comma-separated; * for all',
  ],
  otlpMaxBytes: [bytes.default(64 * MiB), 'largest OpenTelemetry request, unpacked'],
  udpUnsampled: [
    z.stringbool().or(z.boolean()).default(false),
    "keep spans, too, that AWS's distribution of OpenTelemetry did not sample and sends over UDP for metrics",
  ],
  dataDir: [z.string().min(1).default(join(homedir(), '.openray')), 'where the embedded store keeps its data'],
  storeUrl: [
    z.string().optional(),
    'ClickHouse to store in instead, `http://user:password@host:8123/openray`, more with `?cluster=NAME`',
  ],
  backupDir: [z.string().min(1).optional(), "folder of the embedded store's backups (`backups` in the data directory)"],
  backupDisk: [
    z.string().regex(/^\w+$/, 'letters, digits and underscores').optional(),
    'disk of the ClickHouse of storeUrl that backups go to (the folder that it allows for them)',
  ],
  forwardOtlp: [httpUrl.optional(), 'OpenTelemetry backend that gets a copy of all that comes in'],
  forwardOtlpProtocol: [
    z.enum(OTLP_PROTOCOLS).optional(),
    'how: `grpc`, `http/protobuf` or `http/json`; without it `grpc` for port 4317, else `http/protobuf`',
  ],
  forwardOtlpHeaders: [commaSeparated.default([]), 'headers for it, name=value, comma-separated'],
  forwardXray: [
    awsRegion.or(httpUrl).optional(),
    'AWS region whose X-Ray gets a copy of all that comes in, or the URL of an X-Ray API',
  ],
  forwardQueueMaxBytes: [
    bytes.default(64 * MiB),
    'documents waiting for each such backend, before the oldest are dropped',
  ],
  logLevel: [z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'), 'least severe line to log'],
  region: [z.string().min(1).default('us-east-1'), 'AWS region that ARNs and functions are given'],
  accountId: [
    z.coerce
      .string()
      .regex(/^\d{12}$/, 'twelve digits')
      .default('000000000000'),
    'AWS account in ARNs',
  ],
  template: [z.string().optional(), 'SAM template whose functions are offered'],
  parameterOverrides: [commaSeparated.default([]), "values of the template's parameters, Key=Value, comma-separated"],
  envVars: [z.string().optional(), "file of variables for the functions, as SAM's --env-vars"],
  lambdaSampling: [z.enum(['all', 'aws', 'off']).default('all'), 'which invocations of functions are traced'],
  lambdaTraceFormat: [
    z.coerce
      .number()
      .pipe(z.literal([1, 2]))
      .default(1),
    "format version of a function's own segments",
  ],
  lambdaFreeze: [
    z.stringbool().or(z.boolean()).default(false),
    "stop a function's processes between its invocations, as Lambda does",
  ],
  lambdaSchedules: [z.stringbool().or(z.boolean()).default(false), "run the template's schedules when they are due"],
  hotReload: [
    z.stringbool().or(z.boolean()).default(true),
    "run functions' code and template as they are, also when they have changed",
  ],
  poolSize: [count.max(64).default(4), 'queries that the embedded engine runs at once'],
  queryMaxMs: [count.default(30_000), 'longest time a query may take'],
  queryMaxMemoryBytes: [bytes.default(1 * GiB), 'most memory a query may take'],
  engineMaxMemoryBytes: [bytes.default(4 * GiB), 'most memory the embedded engine may take'],
  queueMaxBytes: [bytes.default(128 * MiB), 'documents waiting to be stored, before callers are told to slow down'],
  commitIntervalMs: [z.coerce.number().min(0).default(20), 'how long documents are collected for one insert'],
  documentMaxBytes: [bytes.default(64 * 1024), 'largest segment document'],
  bodyMaxBytes: [bytes.default(16 * MiB), 'largest request body'],
  retentionDays: [z.coerce.number().positive().default(30), 'days after their arrival that traces are kept'],
  retentionMaxBytes: [bytes.default(20 * GiB), 'bytes on disk, above which the oldest traces are dropped'],
  retentionRules: [
    z.union([z.array(z.string()), z.string().transform((text) => text.split(/;\s*(?=\d+d\s)/))]).default([]),
    'how long other traces are kept, days and filter expression, the first that matches: `7d service("ping"); 90d fault = true`',
  ],
  fsync: [
    z.stringbool().or(z.boolean()).default(false),
    'wait for the disk before acknowledging (survives power loss)',
  ],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

type SettingName = keyof typeof SETTINGS;
const NAMES = Object.keys(SETTINGS) as SettingName[];

const schema = z.strictObject(
  Object.fromEntries(NAMES.map((name) => [name, SETTINGS[name][0]])) as {
    [Name in SettingName]: (typeof SETTINGS)[Name][0];
  },
);

export type Config = Readonly<z.output<typeof schema>>;

/** A value as it may be shown: without passwords. */
export function formatSetting(config: Config, name: SettingName): string {
  if (name === 'storeUrl' && config.storeUrl !== undefined) return JSON.stringify(maskStoreUrl(config.storeUrl));
  if ((name === 'forwardOtlp' || name === 'forwardXray') && config[name] !== undefined) {
    return JSON.stringify(maskUrl(config[name]));
  }
  if (name === 'forwardOtlpHeaders') return JSON.stringify(config[name].map((text) => text.replace(/=.*/s, '=***')));
  return JSON.stringify(config[name]) ?? 'none';
}

/** Keys of vendors stand in the query. */
function maskUrl(url: string): string {
  return maskStoreUrl(url).replace(/([?&][^=&#]+)=[^&#]*/g, '$1=***');
}

/** Where a value in force came from, as `openray config` shows it. */
export type ConfigSource = 'flag' | 'environment' | 'file' | 'default';

export type LoadedConfig = {
  readonly config: Config;
  readonly sources: Readonly<Record<SettingName, ConfigSource>>;
};

/** Name, flag, variable and meaning of every setting, in the order of the reference. */
export const settings = NAMES.map((name) => ({
  name,
  flag: `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  variable: `OPENRAY_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
  meaning: SETTINGS[name][1],
}));

/**
 * The settings in force: flag over `OPENRAY_*` over file over default.
 * Throws SettingInvalid, naming the key and where it was set, when one is misspelt or out of range.
 */
export function loadConfig(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
  configFile: string | undefined = environment.OPENRAY_CONFIG,
): LoadedConfig {
  const fromFile = configFile === undefined ? {} : readConfigFile(configFile);
  const values: Record<string, unknown> = { ...fromFile };
  const sources = Object.fromEntries(NAMES.map((name) => [name, name in fromFile ? 'file' : 'default'])) as Record<
    SettingName,
    ConfigSource
  >;
  for (const { name, variable } of settings) {
    if (environment[variable] !== undefined) {
      values[name] = environment[variable];
      sources[name] = 'environment';
    }
    if (flags[name] !== undefined) {
      values[name] = flags[name];
      sources[name] = 'flag';
    }
  }
  const known = new Set<string>(['OPENRAY_CONFIG', 'OPENRAY_LOCAL', ...settings.map(({ variable }) => variable)]);
  const misspelt = Object.keys(environment).find((key) => key.startsWith('OPENRAY_') && !known.has(key));
  if (misspelt !== undefined) {
    throw new OpenrayError('SettingInvalid', `unknown setting ${misspelt} in the environment; see 'openray config'`);
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success) throw new OpenrayError('SettingInvalid', describeIssue(parsed.error, sources, configFile));
  // A server on a free port is one of several: its other ports are free ones too, unless they are set.
  const free = parsed.data.port === 0 ? 0 : undefined;
  const config = {
    ...parsed.data,
    otlpGrpcPort: sources.otlpGrpcPort === 'default' ? (free ?? parsed.data.otlpGrpcPort) : parsed.data.otlpGrpcPort,
    otlpHttpPort: sources.otlpHttpPort === 'default' ? (free ?? parsed.data.otlpHttpPort) : parsed.data.otlpHttpPort,
    dataDir: resolve(parsed.data.dataDir),
  };
  if (!isLoopback(config.host)) {
    throw new OpenrayError(
      'SettingInvalid',
      `host ${config.host} is not a loopback address; without credentials openray only listens on 127.0.0.1 or ::1`,
    );
  }
  return { config, sources };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function readConfigFile(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new OpenrayError('SettingInvalid', `settings file ${file} can not be read`, { cause });
  }
  let values: unknown;
  try {
    values = parseYaml(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new OpenrayError('SettingInvalid', `settings file ${file} is not YAML: ${reason}`, { cause });
  }
  if (values === null || values === undefined) return {};
  if (typeof values !== 'object' || Array.isArray(values)) {
    throw new OpenrayError('SettingInvalid', `settings file ${file} must hold a map of settings`);
  }
  return values as Record<string, unknown>;
}

function describeIssue(
  error: z.ZodError,
  sources: Readonly<Record<string, ConfigSource>>,
  configFile: string | undefined,
): string {
  const issue = error.issues[0];
  if (issue === undefined) return 'settings are not valid';
  if (issue.code === 'unrecognized_keys') return `unknown setting ${issue.keys.join(', ')} in ${configFile}`;
  const name = String(issue.path[0]);
  const setting = settings.find((candidate) => candidate.name === name);
  const source = sources[name];
  const where = source === 'flag' ? setting?.flag : source === 'environment' ? setting?.variable : configFile;
  return `setting ${name} (${where ?? 'default'}): ${issue.message}`;
}
