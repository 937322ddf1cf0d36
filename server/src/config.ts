import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import { issueSentence, OpenrayError } from './errors.ts';
import { OTLP_PROTOCOLS } from './forward/otlp-endpoint.ts';
import { DEFAULT_POOL_SIZE } from './store/engine/embedded/engine-spawn.ts';
import { maskStoreUrl } from './store/engine/store-url.ts';
import { TRACE_BOUNDS } from './store/trace-bounds.ts';

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

/** The embedded engine does not start with less. */
const MIN_MEMORY_BYTES = 256 * MiB;

const port = z.coerce.number().int().min(0).max(65_535);
/** A port number, or `none` for no listener. */
const optionalPort = z.union([z.literal('none'), port]);
const count = z.coerce.number().int().positive();
const bytes = z.coerce.number().int().positive();
const commaSeparated = z.union([z.array(z.string()), z.string().transform((text) => text.split(',').filter(Boolean))]);

const httpUrl = z
  .string()
  .refine((text) => /^https?:\/\//.test(text) && URL.canParse(text), 'must be an http or https URL');
const awsRegion = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be an AWS region or an http URL');

/** Schema and meaning of every setting. Its flag is the key in kebab-case, its variable `OPENRAY_` and SNAKE_CASE. */
const SETTINGS = {
  host: [z.string().min(1).default('127.0.0.1'), 'address to listen on'],
  port: [port.default(2000), 'port of the UDP daemon, X-Ray API, Invoke API, OTLP and console; 0 for a free port'],
  otlpGrpcPort: [optionalPort.default(4317), "OpenTelemetry's gRPC port; 0 for a free port, none for no port"],
  otlpHttpPort: [optionalPort.default(4318), "OpenTelemetry's HTTP port; 0 for a free port, none for no port"],
  otlpAnnotations: [commaSeparated.default([]), 'span attributes that become annotations, comma-separated; * for all'],
  otlpMaxBytes: [bytes.default(64 * MiB), 'largest OpenTelemetry request, after decompression'],
  udpUnsampled: [
    z.stringbool().or(z.boolean()).default(false),
    "also store unsampled spans, which AWS's distribution of OpenTelemetry sends over UDP for metrics",
  ],
  dataDir: [z.string().min(1).default(join(homedir(), '.openray')), 'data directory of the embedded store'],
  storeUrl: [
    z.string().optional(),
    'ClickHouse server to store in, `http://user:password@host:8123/openray`; for a cluster add `?cluster=NAME`',
  ],
  backupDir: [
    z.string().min(1).optional(),
    'folder for backups of the embedded store; default `backups` in the data directory',
  ],
  backupDisk: [
    z.string().regex(/^\w+$/, 'letters, digits and underscores').optional(),
    'disk for backups on the ClickHouse server of storeUrl; default the folder that the server allows for backups',
  ],
  forwardOtlp: [httpUrl.optional(), 'URL of an OpenTelemetry backend that gets a copy of every stored document'],
  forwardOtlpProtocol: [
    z.enum(OTLP_PROTOCOLS).optional(),
    'protocol of forwardOtlp: `grpc`, `http/protobuf`, `http/json`; default `grpc` for port 4317, else `http/protobuf`',
  ],
  forwardOtlpHeaders: [commaSeparated.default([]), 'headers for forwardOtlp, name=value, comma-separated'],
  forwardXray: [
    awsRegion.or(httpUrl).optional(),
    'AWS region whose X-Ray gets a copy of every stored document, or the URL of an X-Ray API',
  ],
  forwardQueueMaxBytes: [
    bytes.default(64 * MiB),
    'bytes of documents that may wait for each backend; above this size the oldest are dropped',
  ],
  logLevel: [
    z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    'least severe level to log: debug, info, warn, error or silent',
  ],
  region: [z.string().min(1).default('us-east-1'), 'AWS region in ARNs and in the environment of functions'],
  accountId: [
    z.coerce
      .string()
      .regex(/^\d{12}$/, 'twelve digits')
      .default('000000000000'),
    'AWS account in ARNs',
  ],
  template: [z.string().optional(), 'SAM template whose functions the server runs'],
  parameterOverrides: [commaSeparated.default([]), "values of the template's parameters, Key=Value, comma-separated"],
  envVars: [z.string().optional(), "JSON file of the functions' environment variables, as for SAM's --env-vars"],
  aws: [
    z.enum(['none', 'passthrough']).default('none'),
    "passthrough gives functions the caller's AWS credentials, profile, region and proxy, none does not; default of invoke, start-api and start-lambda without awsEndpoint: passthrough",
  ],
  awsEndpoint: [
    httpUrl.optional(),
    "URL of an AWS emulator for the functions' calls; openray itself serves the template's queues, topics, rules and functions",
  ],
  layer: [
    commaSeparated.default([]),
    'folders of layers that the template names by ARN, ARN-or-name=FOLDER, comma-separated',
  ],
  tracing: [
    z.enum(['active', 'passthrough', 'template']).default('template'),
    'tracing mode of all functions: active, passthrough, or template for the modes in the template',
  ],
  lambdaSampling: [
    z.enum(['all', 'aws', 'off']).default('all'),
    'invocations that are traced: all, off, or aws for one a second and 5 % of the others',
  ],
  lambdaTraceFormat: [
    z.coerce
      .number()
      .pipe(z.literal([1, 2]))
      .default(1),
    "format of a function's segments: 1 with subsegments for its phases, 2 with timings as annotations",
  ],
  lambdaFreeze: [
    z.stringbool().or(z.boolean()).default(false),
    "freeze a function's processes between invocations, as Lambda does",
  ],
  lambdaSchedules: [z.stringbool().or(z.boolean()).default(false), "run the template's schedules when they are due"],
  hotReload: [z.stringbool().or(z.boolean()).default(true), 'reload changed code and a changed template'],
  memoryMaxBytes: [
    bytes.min(MIN_MEMORY_BYTES, 'at least 268435456 (256 MiB)').optional(),
    "memory that openray may use, shared by requests, queue and embedded engine; by default the container's limit, else half of the machine's memory up to 4 GiB",
  ],
  poolSize: [count.max(64).default(DEFAULT_POOL_SIZE), 'concurrent queries of the embedded engine'],
  queryMaxMs: [count.default(30_000), 'time limit of a query'],
  queryMaxMemoryBytes: [bytes.default(1 * GiB), 'memory limit of a query'],
  engineMaxMemoryBytes: [bytes.default(4 * GiB), 'memory limit of the embedded engine'],
  queueMaxBytes: [
    bytes.default(64 * MiB),
    'bytes of documents waiting for their insert; above this size senders are throttled',
  ],
  journal: [
    z.stringbool().or(z.boolean()).default(true),
    'acknowledge documents once they are in the journal of the data directory; off: once they are in ClickHouse. A store of storeUrl has no journal',
  ],
  traceMaxDocuments: [
    count.default(TRACE_BOUNDS.documents),
    'documents of a trace, above which the trace is summarised from its rows and shown in parts',
  ],
  traceMaxBytes: [
    bytes.default(TRACE_BOUNDS.bytes),
    'bytes of the documents of a trace, above which the trace is summarised from its rows and shown in parts',
  ],
  documentMaxBytes: [bytes.default(64 * 1024), 'largest segment document'],
  bodyMaxBytes: [bytes.default(16 * MiB), 'largest request body'],
  retentionDays: [z.coerce.number().positive().default(30), 'days that traces are kept after their arrival'],
  retentionMaxBytes: [bytes.default(20 * GiB), 'bytes on disk, above which the oldest traces are dropped'],
  retentionRules: [
    z.union([z.array(z.string()), z.string().transform((text) => text.split(/;\s*(?=\d+d\s)/))]).default([]),
    'days and filter expression; the first rule that matches a trace applies: `7d service("ping"); 90d fault = true`',
  ],
  retentionTrustClock: [
    z.stringbool().or(z.boolean()).default(false),
    'delete by age at once after the clock moved by more than a day, and not a day later',
  ],
  fsync: [
    z.stringbool().or(z.boolean()).default(false),
    'wait for the disk before acknowledging (survives power loss)',
  ],
} as const satisfies Record<string, readonly [z.ZodType, string]>;

export type SettingName = keyof typeof SETTINGS;
const NAMES = Object.keys(SETTINGS) as SettingName[];

const schema = z.strictObject(
  Object.fromEntries(NAMES.map((name) => [name, SETTINGS[name][0]])) as {
    [Name in SettingName]: (typeof SETTINGS)[Name][0];
  },
);

export type Config = Readonly<z.output<typeof schema>>;

/** The value as text for a user, with secrets masked. */
export function formatSetting(config: Config, name: SettingName): string {
  if (name === 'storeUrl' && config.storeUrl !== undefined) return JSON.stringify(maskStoreUrl(config.storeUrl));
  if ((name === 'forwardOtlp' || name === 'forwardXray') && config[name] !== undefined) {
    return JSON.stringify(maskUrl(config[name]));
  }
  if (name === 'forwardOtlpHeaders') return JSON.stringify(config[name].map((text) => text.replace(/=.*/s, '=***')));
  return JSON.stringify(config[name]) ?? 'none';
}

/** Masks query values too: vendors put API keys there. */
function maskUrl(url: string): string {
  return maskStoreUrl(url).replace(/([?&][^=&#]+)=[^&#]*/g, '$1=***');
}

/** Source of a value in force, as `openray config` shows it. */
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
 * Throws SettingInvalid, which names the key and its source, when a setting is unknown or out of range.
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
  const known = new Set<string>([
    'OPENRAY_CONFIG',
    'OPENRAY_LOCAL',
    'OPENRAY_TEST_SERVER',
    ...settings.map(({ variable }) => variable),
  ]);
  const unknown = Object.keys(environment).find((key) => key.startsWith('OPENRAY_') && !known.has(key));
  if (unknown !== undefined) {
    throw new OpenrayError('SettingInvalid', `unknown setting ${unknown} in the environment; see 'openray config'`);
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success) throw new OpenrayError('SettingInvalid', describeIssue(parsed.error, sources, configFile));
  // A server on a free port is one of several: it takes free ports for OpenTelemetry too, unless they are set.
  const freePort = parsed.data.port === 0 ? 0 : undefined;
  const config = {
    ...parsed.data,
    otlpGrpcPort:
      sources.otlpGrpcPort === 'default' ? (freePort ?? parsed.data.otlpGrpcPort) : parsed.data.otlpGrpcPort,
    otlpHttpPort:
      sources.otlpHttpPort === 'default' ? (freePort ?? parsed.data.otlpHttpPort) : parsed.data.otlpHttpPort,
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
    throw new OpenrayError('SettingInvalid', `settings file ${file} cannot be read`, { cause });
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
  if (issue === undefined) return 'the settings are invalid';
  if (issue.code === 'unrecognized_keys') return `unknown setting ${issue.keys.join(', ')} in ${configFile}`;
  const name = String(issue.path[0]);
  const setting = settings.find((candidate) => candidate.name === name);
  const source = sources[name];
  const location = source === 'flag' ? setting?.flag : source === 'environment' ? setting?.variable : configFile;
  return `setting ${name} (${location ?? 'default'}): ${issueSentence(issue)}`;
}
