import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type FunctionSpec, functionArn } from '../spec/function-spec.ts';

export type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
};

/** Nothing checks these here; SDKs refuse to start without any. */
export const LOCAL_CREDENTIALS: Credentials = {
  accessKeyId: 'openray',
  secretAccessKey: 'openray',
  sessionToken: 'openray',
};

/** Overrides of the customer's variables, as `sam local`'s `--env-vars` file has them: by function, or `Parameters`. */
export type EnvironmentVariableOverrides = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export type EnvironmentVariablesInput = {
  readonly spec: FunctionSpec;
  /** Where the code to run is, which a build may have moved. */
  readonly codeDir: string;
  readonly handler: string;
  readonly region: string;
  readonly logStream: string;
  readonly daemonAddress: string;
  /** Folder of the runtime client. */
  readonly runtimeDir: string;
  readonly credentials: Credentials;
  readonly environmentOverrides: EnvironmentVariableOverrides;
  /** The variables of the host: its PATH, and values for variables that the template declares. */
  readonly hostVariables: Readonly<Record<string, string | undefined>>;
  /** Where Lambda, SQS, SNS and EventBridge answer for the function. */
  readonly endpointUrl: string;
  /** Path there of each queue, by the URL that it would have on AWS. */
  readonly queuePaths: ReadonlyMap<string, string>;
  /** A build that made source maps wants Node to read them. */
  readonly sourceMaps: boolean;
};

/**
 * The variables a function finds. Later ones win: the platform's that may be overridden, the customer's, credentials,
 * the runtime's, the platform's own. `_X_AMZN_TRACE_ID` is not among them: it exists only while an event is handled.
 * Nor is `AWS_SAM_LOCAL`: tracing libraries switch themselves off when they see it.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export function functionEnvironmentVariables(input: EnvironmentVariablesInput): Record<string, string> {
  const env = {
    ...platformDefaults(input),
    ...customerVariables(input),
    ...credentialVariables(input.credentials),
    ...runtimeVariables(input),
    ...platformVariables(input),
  };
  if (input.sourceMaps && !env.NODE_OPTIONS?.includes('--enable-source-maps')) {
    env.NODE_OPTIONS = [env.NODE_OPTIONS, '--enable-source-maps'].filter(Boolean).join(' ');
  }
  return env;
}

/** What a customer may override. */
function platformDefaults({
  spec,
  codeDir,
  daemonAddress,
  hostVariables: host,
  endpointUrl,
}: EnvironmentVariablesInput): Record<string, string> {
  const layers = spec.layerDirs.toReversed();
  const inLayers = (...folders: readonly string[]) =>
    layers.flatMap((layer) => folders.map((folder) => join(layer, folder)));
  const language = spec.runtime.startsWith('nodejs')
    ? {
        NODE_PATH: joinPaths([
          ...inLayers(`nodejs/node${majorOf(spec.runtime)}/node_modules`, 'nodejs/node_modules'),
          codeDir,
        ]),
      }
    : spec.runtime.startsWith('python')
      ? { PYTHONPATH: joinPaths(inLayers('python', `python/lib/${spec.runtime}/site-packages`)) }
      : {};
  return {
    ...pickVariables(host, ['HOME', 'TMPDIR', 'VIRTUAL_ENV']),
    AWS_XRAY_DAEMON_ADDRESS: daemonAddress,
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    // The daemon's port takes OpenTelemetry's data too; without this its SDKs would send to a collector.
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${daemonAddress}`,
    LANG: 'en_US.UTF-8',
    TZ: process.platform === 'linux' ? ':UTC' : 'UTC',
    PATH: joinPaths([...inLayers('bin'), host.PATH ?? '/usr/local/bin:/usr/bin:/bin']),
    LD_LIBRARY_PATH: joinPaths([codeDir, join(codeDir, 'lib'), ...inLayers('lib')]),
    ...language,
    ...('AWS_ENDPOINT_URL' in spec.environmentVariables ? {} : endpointVariables(endpointUrl)),
    OPENRAY_LOCAL: '1',
  };
}

/** SDKs take these per service; whoever sets `AWS_ENDPOINT_URL` has an AWS of his own. */
function endpointVariables(url: string): Record<string, string> {
  return Object.fromEntries(['LAMBDA', 'SQS', 'SNS', 'EVENTBRIDGE'].map((name) => [`AWS_ENDPOINT_URL_${name}`, url]));
}

/**
 * The template's variables, each replaced by the override file, else by the host's variable of that name.
 * Only variables that the template declares are taken. Names with a leading underscore belong to Lambda.
 */
function customerVariables(input: EnvironmentVariablesInput): Record<string, string> {
  const { spec, environmentOverrides: overrides, hostVariables: host, codeDir, endpointUrl, queuePaths } = input;
  const own = overrides[spec.logicalId] ?? overrides[spec.name] ?? {};
  const all = { ...overrides.Parameters, ...own };
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(spec.environmentVariables)) {
    // The official runtime clients start several workers when they see the last one.
    if (name.startsWith('_') || name === 'AWS_LAMBDA_MAX_CONCURRENCY') continue;
    const override = all[name];
    const text = override === undefined ? (host[name] ?? value) : overrideText(override);
    const queuePath = queuePaths.get(text);
    variables[name] = queuePath === undefined ? localPath(text, codeDir, spec.layerDirs) : `${endpointUrl}${queuePath}`;
  }
  return variables;
}

/** Structures that nobody resolved become empty, as in `sam local`. */
function overrideText(value: unknown): string {
  return typeof value === 'object' ? '' : String(value);
}

/** `/var/task/…` and `/opt/…` do not exist here; where the file they mean does, its real path is given. */
export function localPath(value: string, codeDir: string, layerDirs: readonly string[]): string {
  const candidates = value.startsWith('/var/task/')
    ? [join(codeDir, value.slice('/var/task/'.length))]
    : value.startsWith('/opt/')
      ? layerDirs.toReversed().map((layer) => join(layer, value.slice('/opt/'.length)))
      : [];
  return candidates.find((path) => existsSync(path)) ?? value;
}

function credentialVariables({ accessKeyId, secretAccessKey, sessionToken }: Credentials): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
  };
}

function runtimeVariables({ spec, codeDir, handler, runtimeDir }: EnvironmentVariablesInput): Record<string, string> {
  return {
    _HANDLER: handler,
    LAMBDA_TASK_ROOT: codeDir,
    LAMBDA_RUNTIME_DIR: runtimeDir,
    PWD: codeDir,
    // Custom runtimes have none on AWS either.
    ...(spec.runtime.startsWith('provided') ? {} : { AWS_EXECUTION_ENV: `AWS_Lambda_${spec.runtime}` }),
  };
}

function platformVariables({
  spec,
  region,
  logStream,
  daemonAddress,
}: EnvironmentVariablesInput): Record<string, string> {
  const colon = daemonAddress.lastIndexOf(':');
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_LAMBDA_FUNCTION_NAME: spec.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: spec.logging.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    _AWS_XRAY_DAEMON_ADDRESS: daemonAddress.slice(0, colon),
    _AWS_XRAY_DAEMON_PORT: daemonAddress.slice(colon + 1),
    ...(spec.logging.format === 'JSON'
      ? { AWS_LAMBDA_LOG_FORMAT: 'JSON', AWS_LAMBDA_LOG_LEVEL: spec.logging.applicationLevel }
      : {}),
  };
}

/** `2024/04/23/[$LATEST]<32 hex>`: the day in UTC. */
export function logStreamName(startUs: number, instanceId: string): string {
  const day = new Date(startUs / 1000).toISOString().slice(0, 10).replaceAll('-', '/');
  return `${day}/[$LATEST]${instanceId}`;
}

/** The ARN as invoked: with a qualifier only when the caller gave one. */
export function invokedArn(name: string, region: string, accountId: string, qualifier: string | undefined): string {
  const arn = functionArn(name, region, accountId);
  return qualifier === undefined ? arn : `${arn}:${qualifier}`;
}

function majorOf(runtime: string): string {
  return /\d+/.exec(runtime)?.[0] ?? '';
}

function joinPaths(paths: readonly string[]): string {
  return paths.filter((path) => path !== '').join(delimiter);
}

function pickVariables(
  host: EnvironmentVariablesInput['hostVariables'],
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (host[name] === undefined ? [] : [[name, host[name]]])));
}
