import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isNumber } from '../../model/exact-number.ts';
import { type FunctionSpec, functionArn } from '../spec/function-spec.ts';
import { type AwsAccess, isCredentialName } from './aws-access.ts';

/** openray does not check them, but AWS SDKs do not work without credentials. */
const LOCAL_CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'openray',
  AWS_SECRET_ACCESS_KEY: 'openray',
  AWS_SESSION_TOKEN: 'openray',
};

/** Variables in the format of `sam local --env-vars`: by function, or in `Parameters` for all functions. */
export type EnvironmentVariableOverrides = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export type EnvironmentVariablesInput = {
  readonly spec: FunctionSpec;
  /** Folder of the code to run; of a built function, the output of the build. */
  readonly codeDir: string;
  readonly handler: string;
  readonly region: string;
  readonly logStream: string;
  readonly daemonAddress: string;
  /** Folder of the runtime client. */
  readonly runtimeDir: string;
  readonly aws: AwsAccess;
  readonly environmentOverrides: EnvironmentVariableOverrides;
  /** The variables of the host: its PATH, and values for variables that the template declares. */
  readonly hostVariables: Readonly<Record<string, string | undefined>>;
  /** Local endpoint of Lambda, SQS, SNS and EventBridge. */
  readonly endpointUrl: string;
  /** Path of each queue at `endpointUrl`, by the URL that the queue would have on AWS. */
  readonly queuePaths: ReadonlyMap<string, string>;
  /** Where `openray runtime install` puts the packages that Lambda's runtimes bring. */
  readonly packagesDir?: string | undefined;
  /** The build made source maps, which Node has to read. */
  readonly sourceMaps: boolean;
};

/**
 * The environment variables of a function. Later ones win: the platform's defaults, the customer's, the credentials,
 * the runtime's, the platform's fixed ones, those of `--env-vars`. `_X_AMZN_TRACE_ID` is left out, since it exists only while an event is
 * handled; so is `AWS_SAM_LOCAL`, which makes tracing libraries switch themselves off.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export function functionEnvironmentVariables(input: EnvironmentVariablesInput): Record<string, string> {
  const env = {
    ...platformDefaults(input),
    ...customerVariables(input),
    ...credentialVariables(input),
    ...runtimeVariables(input),
    ...platformVariables(input),
    ...overrideVariables(input),
  };
  if (input.sourceMaps && !env.NODE_OPTIONS?.includes('--enable-source-maps')) {
    env.NODE_OPTIONS = [env.NODE_OPTIONS, '--enable-source-maps'].filter(Boolean).join(' ');
  }
  return env;
}

/** Variables that a customer may override. */
function platformDefaults({
  spec,
  codeDir,
  daemonAddress,
  hostVariables,
  endpointUrl,
  environmentOverrides,
  aws,
  packagesDir,
}: EnvironmentVariablesInput): Record<string, string> {
  const hasOwnEndpoint =
    'AWS_ENDPOINT_URL' in spec.environmentVariables || 'AWS_ENDPOINT_URL' in overridesOf(spec, environmentOverrides);
  const layers = spec.layerDirs.toReversed();
  const inLayers = (...folders: readonly string[]) =>
    layers.flatMap((layer) => folders.map((folder) => join(layer, folder)));
  const sources = spec.layerSourceDirs.filter((dir) => spec.layerDirs.includes(dir)).toReversed();
  const language = spec.runtime.startsWith('nodejs')
    ? {
        NODE_PATH: joinPaths([
          ...inLayers(`nodejs/node${majorOf(spec.runtime)}/node_modules`, 'nodejs/node_modules'),
          ...sources.map((dir) => join(dir, 'node_modules')),
          codeDir,
          // The last, so that it shadows no package of the function or of a layer.
          ...(packagesDir === undefined ? [] : [join(packagesDir, 'node', 'node_modules')].filter(existsSync)),
        ]),
      }
    : spec.runtime.startsWith('python')
      ? {
          PYTHONPATH: joinPaths([...inLayers('python', `python/lib/${spec.runtime}/site-packages`), ...sources]),
        }
      : spec.runtime.startsWith('ruby')
        ? rubyVariables(codeDir, layers, packagesDir)
        : {};
  return {
    ...pickVariables(hostVariables, ['HOME', 'TMPDIR', 'VIRTUAL_ENV']),
    AWS_XRAY_DAEMON_ADDRESS: daemonAddress,
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    // The daemon's port accepts OTLP too; without this variable OpenTelemetry's SDKs send to a collector.
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${daemonAddress}`,
    LANG: 'en_US.UTF-8',
    TZ: process.platform === 'linux' ? ':UTC' : 'UTC',
    PATH: joinPaths([...inLayers('bin'), hostVariables.PATH ?? '/usr/local/bin:/usr/bin:/bin']),
    LD_LIBRARY_PATH: joinPaths([codeDir, join(codeDir, 'lib'), ...inLayers('lib')]),
    ...language,
    ...(hasOwnEndpoint ? {} : endpointVariables(endpointUrl)),
    ...Object.fromEntries(Object.entries(aws.variables).filter(([name]) => !isCredentialName(name))),
    ...(aws.endpoint === undefined ? {} : { AWS_ENDPOINT_URL: aws.endpoint }),
    OPENRAY_LOCAL: '1',
  };
}

/** Gems of the function as `sam build` and Bundler install them, of its layers, of the runtime, and of this machine. */
function rubyVariables(
  codeDir: string,
  layers: readonly string[],
  packagesDir: string | undefined,
): Record<string, string> {
  const versionsIn = (folder: string) =>
    existsSync(folder) ? readdirSync(folder).map((version) => join(folder, version)) : [];
  const gems = [
    ...versionsIn(join(codeDir, 'vendor', 'bundle', 'ruby')),
    ...layers.flatMap((layer) => versionsIn(join(layer, 'ruby', 'gems'))),
    ...(packagesDir === undefined ? [] : [join(packagesDir, 'ruby')]),
  ];
  // RubyGems adds its usual folders for the delimiter at the end.
  return {
    GEM_PATH: [...gems, ''].join(delimiter),
    RUBYLIB: joinPaths([codeDir, ...layers.map((layer) => join(layer, 'ruby', 'lib'))]),
  };
}

/**
 * AWS SDKs read one variable a service. A template or an override file that sets `AWS_ENDPOINT_URL` has its own AWS, and
 * gets none.
 */
function endpointVariables(url: string): Record<string, string> {
  return Object.fromEntries(['LAMBDA', 'SQS', 'SNS', 'EVENTBRIDGE'].map((name) => [`AWS_ENDPOINT_URL_${name}`, url]));
}

/** The template's variables, each with the value of the host's variable with its name, else of the template. */
function customerVariables(input: EnvironmentVariablesInput): Record<string, string> {
  const { spec, hostVariables } = input;
  return Object.fromEntries(
    Object.entries(spec.environmentVariables)
      .filter(([name]) => !isReserved(name))
      .map(([name, value]) => [name, localValue(hostVariables[name] ?? value, input)]),
  );
}

/** The variables of the override file, whether the template declares them or not. */
function overrideVariables(input: EnvironmentVariablesInput): Record<string, string> {
  const overrides = overridesOf(input.spec, input.environmentOverrides);
  // SDKs for Python read only AWS_DEFAULT_REGION.
  const region = overrides.AWS_REGION === undefined ? {} : { AWS_DEFAULT_REGION: overrides.AWS_REGION };
  return Object.fromEntries(
    Object.entries({ ...region, ...overrides })
      .filter(([name]) => !isReserved(name))
      .map(([name, value]) => [name, localValue(overrideText(value), input)]),
  );
}

function overridesOf(spec: FunctionSpec, overrides: EnvironmentVariableOverrides): Readonly<Record<string, unknown>> {
  return { ...overrides.Parameters, ...(overrides[spec.logicalId] ?? overrides[spec.name]) };
}

/** The variables of the template and of the override file that have a part in the command. Empty ones are undefined. */
export function startVariables(
  spec: FunctionSpec,
  overrides: EnvironmentVariableOverrides,
  codeDir: string,
): { readonly wrapper: string | undefined; readonly javaToolOptions: string | undefined } {
  const variableOf = (name: string) => {
    const override = overridesOf(spec, overrides)[name];
    return (override === undefined ? spec.environmentVariables[name] : overrideText(override)) || undefined;
  };
  const wrapper = variableOf('AWS_LAMBDA_EXEC_WRAPPER');
  return {
    wrapper: wrapper && localPath(wrapper, codeDir, spec.layerDirs),
    javaToolOptions: variableOf('JAVA_TOOL_OPTIONS'),
  };
}

/**
 * Names with a leading underscore belong to Lambda. AWS's runtime clients start several workers when
 * AWS_LAMBDA_MAX_CONCURRENCY is set.
 */
function isReserved(name: string): boolean {
  return name.startsWith('_') || name === 'AWS_LAMBDA_MAX_CONCURRENCY';
}

/** An object, such as an unresolved intrinsic function, becomes the empty text, as in `sam local`. */
function overrideText(value: unknown): string {
  return typeof value === 'object' && !isNumber(value) ? '' : String(value);
}

/** URLs of local queues and paths of Lambda become those of this machine. */
function localValue(
  text: string,
  {
    spec,
    codeDir,
    endpointUrl,
    queuePaths,
  }: Pick<EnvironmentVariablesInput, 'spec' | 'codeDir' | 'endpointUrl' | 'queuePaths'>,
): string {
  const queuePath = queuePaths.get(text);
  return queuePath === undefined ? localPath(text, codeDir, spec.layerDirs) : `${endpointUrl}${queuePath}`;
}

/** Paths below `/var/task` and `/opt`, which do not exist locally, become real paths if the file exists. */
export function localPath(value: string, codeDir: string, layerDirs: readonly string[]): string {
  const candidates = value.startsWith('/var/task/')
    ? [join(codeDir, value.slice('/var/task/'.length))]
    : value.startsWith('/opt/')
      ? layerDirs.toReversed().map((layer) => join(layer, value.slice('/opt/'.length)))
      : [];
  return candidates.find((path) => existsSync(path)) ?? value;
}

/** The caller's, else openray's own. Credentials of the override file must not meet a session token of others. */
function credentialVariables({ spec, environmentOverrides, aws }: EnvironmentVariablesInput): Record<string, string> {
  const overrides = overridesOf(spec, environmentOverrides);
  if ('AWS_ACCESS_KEY_ID' in overrides || 'AWS_PROFILE' in overrides) return {};
  if (!aws.hasCredentials) return LOCAL_CREDENTIALS;
  return Object.fromEntries(Object.entries(aws.variables).filter(([name]) => isCredentialName(name)));
}

function runtimeVariables({ spec, codeDir, handler, runtimeDir }: EnvironmentVariablesInput): Record<string, string> {
  return {
    _HANDLER: handler,
    LAMBDA_TASK_ROOT: codeDir,
    LAMBDA_RUNTIME_DIR: runtimeDir,
    PWD: codeDir,
    // Custom runtimes have no AWS_EXECUTION_ENV on AWS either.
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
  variables: EnvironmentVariablesInput['hostVariables'],
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (variables[name] === undefined ? [] : [[name, variables[name]]])));
}
