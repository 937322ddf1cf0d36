import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve as resolvePath } from 'node:path';
import { OpenrayError } from '../../errors.ts';
import { printJson } from '../../model/exact-json.ts';
import { isNumber } from '../../model/exact-number.ts';
import { isJsonObject, type JsonObject, type JsonValue, objectOf } from '../../model/json.ts';
import type { BuildSpec, FunctionSpec, LoggingSpec, LogLevel, TracingMode } from '../spec/function-spec.ts';
import { readPart } from './broken-parts.ts';
import { withReferencedValues } from './dynamic-references.ts';
import { isIntrinsic, mergeGlobals } from './globals.ts';
import { resolveValue, type Scope } from './intrinsics.ts';
import { readLayers } from './layers.ts';
import { withLocalUrls } from './local-urls.ts';
import { readQualifiers } from './qualifiers.ts';
import type { RawTemplate, Resource } from './raw-template.ts';
import { serverlessHandler } from './serverless-handler.ts';
import { numberOr } from './values.ts';

/** One function resource as plain data. A function with an invalid value cannot run, and `unsupportedReason` says why. */
export function readFunction(logicalId: string, resource: Resource, raw: RawTemplate, base: Scope): FunctionSpec {
  const warnings = new Set<string>();
  const scope: Scope = { ...base, warn: (sentence) => void warnings.add(sentence) };
  let reason = '';
  const spec = readPart<FunctionSpec | undefined>(
    () => readValidFunction(logicalId, resource, raw, scope),
    undefined,
    (sentence) => {
      reason = sentence;
    },
  );
  if (spec !== undefined) return { ...spec, warnings: [...warnings, ...spec.warnings] };
  // With Lambda's defaults; only the name of the function and the reason count.
  const stub = { type: resource.type, properties: {}, metadata: {} };
  return { ...readValidFunction(logicalId, stub, { ...raw, globals: {} }, scope), unsupportedReason: `${reason}.` };
}

function readValidFunction(logicalId: string, resource: Resource, raw: RawTemplate, scope: Scope): FunctionSpec {
  const isServerless = resource.type === 'AWS::Serverless::Function';
  // Globals apply only to the types of SAM.
  const properties = isServerless
    ? mergeGlobals(objectOf(raw.globals.Function), resource.properties)
    : resource.properties;
  const at = (key: string, isStrict = false): Scope => ({ ...scope, location: `${logicalId}.${key}`, isStrict });
  const get = (key: string) => resolveValue(properties[key], at(key));
  const text = (key: string) => asText(resolveValue(properties[key], at(key, true)));

  const name = scope.resources[logicalId]?.ref ?? logicalId;
  const runtime = text('Runtime') ?? '';
  const frameworkName = frameworkNameOf(logicalId, resource.metadata, raw);
  const packaged = text('Handler') ?? '';
  const handler = isServerlessFramework(raw) ? serverlessHandler(packaged, frameworkName, raw.dir) : packaged;
  const packageType = text('PackageType') ?? 'Zip';
  const code = isServerless
    ? serverlessCode(properties, at('CodeUri', true), raw)
    : lambdaCode(properties, resource.metadata, at('Code', true), raw);
  const layers = readLayers(logicalId, properties.Layers, raw, at('Layers'));
  const variables = environmentVariablesOf(properties.Environment, raw, at('Environment'));
  const { [WRAPPER]: wrapper = '', ...withoutWrapper } = variables;
  // The wrapper of a layer without a folder would end the start with exit code 127.
  const hasWrapper = layers.warnings.length === 0 || !wrapper.startsWith('/opt/') || isInLayer(wrapper, layers.dirs);
  return {
    logicalId,
    name,
    frameworkName,
    ...readQualifiers(logicalId, isServerless ? properties : {}, raw, scope),
    runtime,
    handler,
    codeDir: code.kind === 'folder' ? code.dir : raw.dir,
    inlineCode: code.kind === 'inline' ? code.text : undefined,
    timeoutMs: numberOf(get('Timeout'), 3, `${logicalId}.Timeout`, 1, 900) * 1000,
    memoryMb: numberOf(get('MemorySize'), 128, `${logicalId}.MemorySize`, 1, 32768),
    environmentVariables: hasWrapper ? variables : withoutWrapper,
    warnings: hasWrapper ? layers.warnings : [...layers.warnings, wrapperWarning(logicalId, wrapper)],
    tracing: tracingOf(isServerless ? get('Tracing') : objectOf(get('TracingConfig')).Mode),
    layerDirs: layers.dirs,
    missingLayers: layers.missing,
    layerSourceDirs: layers.sourceDirs,
    architecture: architectureOf(get('Architectures')),
    logging: loggingOf(objectOf(get('LoggingConfig')), name, `${logicalId}.LoggingConfig`),
    build: buildOf(objectOf(resolveValue(resource.metadata, at('Metadata')))),
    reservedConcurrency: numberOr(get('ReservedConcurrentExecutions'), undefined),
    ...asyncOf(get('EventInvokeConfig'), get('DeadLetterQueue') ?? get('DeadLetterConfig')),
    unsupportedReason: unsupportedReason({ logicalId, runtime, handler, packageType, code }),
  };
}

const WRAPPER = 'AWS_LAMBDA_EXEC_WRAPPER';

function isInLayer(path: string, dirs: readonly string[]): boolean {
  return dirs.some((dir) => existsSync(join(dir, path.slice('/opt/'.length))));
}

function wrapperWarning(logicalId: string, wrapper: string): string {
  return `${logicalId}: no layer has ${wrapper}; the function starts without ${WRAPPER}.`;
}

type Code =
  | { readonly kind: 'folder'; readonly dir: string }
  | { readonly kind: 'inline'; readonly text: string }
  | { readonly kind: 'remote' };

function serverlessCode(properties: JsonObject, scope: Scope, raw: RawTemplate): Code {
  const inline = resolveValue(properties.InlineCode, scope);
  if (typeof inline === 'string') return { kind: 'inline', text: inline };
  return folderOf(resolveValue(properties.CodeUri, scope), raw);
}

function lambdaCode(properties: JsonObject, metadata: JsonObject, scope: Scope, raw: RawTemplate): Code {
  // A template of the CDK names the local folder of the code beside its bucket.
  const asset = metadata['aws:asset:path'];
  if (typeof asset === 'string' && metadata['aws:asset:property'] === 'Code') return folderOf(asset, raw);
  const code = resolveValue(properties.Code, scope);
  if (isJsonObject(code) && typeof code.ZipFile === 'string') return { kind: 'inline', text: code.ZipFile };
  if (isJsonObject(code) && isServerlessFramework(raw)) return { kind: 'folder', dir: dirname(raw.dir) };
  return folderOf(code, raw);
}

/**
 * The function's name in the application from which the template was generated: `TakeOrder` of the CDK's path
 * `Shop/TakeOrder/Resource`, `send-mail` of the Serverless Framework's `SendDashmailLambdaFunction`.
 */
function frameworkNameOf(logicalId: string, metadata: JsonObject, raw: RawTemplate): string | undefined {
  const path = metadata['aws:cdk:path'];
  if (typeof path === 'string') return path.split('/').at(-2);
  const [, name] = isServerlessFramework(raw) ? (/^(.+)LambdaFunction$/.exec(logicalId) ?? []) : [];
  if (name === undefined) return undefined;
  return (name.charAt(0).toLowerCase() + name.slice(1)).replaceAll('Dash', '-').replaceAll('Underscore', '_');
}

/** The Serverless Framework writes its template into `.serverless`, beside the code. */
function isServerlessFramework({ dir }: RawTemplate): boolean {
  return basename(dir) === '.serverless';
}

function folderOf(location: JsonValue | undefined, raw: RawTemplate): Code {
  if (isJsonObject(location) || (typeof location === 'string' && location.startsWith('s3://'))) {
    return { kind: 'remote' };
  }
  const path = resolvePath(raw.dir, asText(location) ?? '.');
  // AWS's tools pack a single file of source; its folder has that file, too.
  const isSource = SOURCE_FILE.test(path) && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  return { kind: 'folder', dir: isSource ? dirname(path) : path };
}

const SOURCE_FILE = /\.([cm]?[jt]s|py)$/;

function unsupportedReason(input: {
  readonly logicalId: string;
  readonly runtime: string;
  readonly handler: string;
  readonly packageType: string;
  readonly code: Code;
}): string | undefined {
  const { logicalId, runtime, handler, packageType, code } = input;
  if (packageType === 'Image')
    return `${logicalId} is a container image; openray runs only functions of packages (Zip).`;
  if (code.kind === 'remote') {
    return `The code of ${logicalId} is in S3; name a local folder in CodeUri, or run sam build.`;
  }
  if (runtime === '') return `${logicalId} has no Runtime; name one, such as nodejs22.x.`;
  if (!/^(nodejs\d|python3\.|java\d|ruby[3-9]|provided)/.test(runtime)) {
    return `${logicalId} needs ${runtime}; openray runs nodejs, python3, java, ruby3 and provided.`;
  }
  if (handler === '' && !runtime.startsWith('provided'))
    return `${logicalId} has no Handler; name one, such as index.handler.`;
  return undefined;
}

function asyncOf(config: JsonValue | undefined, deadLetter: JsonValue | undefined) {
  const {
    MaximumRetryAttempts: retries,
    MaximumEventAgeInSeconds: age,
    DestinationConfig: destinations,
  } = objectOf(config);
  const { OnSuccess: onSuccess, OnFailure: onFailure } = objectOf(destinations);
  return {
    maxRetryAttempts: numberOr(retries, 2),
    maxEventAgeMs: numberOr(age, 21_600) * 1000,
    deadLetterArn: asText(objectOf(deadLetter).TargetArn),
    destinations: {
      onSuccess: asText(objectOf(onSuccess).Destination),
      onFailure: asText(objectOf(onFailure).Destination),
    },
  };
}

/** A variable whose value cannot be evaluated is empty, with a warning. */
function environmentVariablesOf(value: JsonValue | undefined, raw: RawTemplate, scope: Scope): Record<string, string> {
  const warn = (reason: string) => scope.warn(`${reason}; it is empty.`);
  const variablesOf = (environment: JsonValue | undefined) => objectOf(environment).Variables ?? {};
  const isWhole = isIntrinsic(value ?? {}) || isIntrinsic(variablesOf(value));
  const variables = variablesOf(
    isWhole ? readPart<JsonValue | undefined>(() => resolveValue(value, scope), {}, warn) : value,
  );
  return Object.fromEntries(
    Object.entries(objectOf(variables)).flatMap(([name, variable]) => {
      const resolved = isWhole
        ? variable
        : readPart<JsonValue | undefined>(() => resolveValue(variable, scope), '', warn);
      if (resolved === undefined) return [];
      return [[name, withLocalUrls(withReferencedValues(asText(resolved) ?? '', raw, scope), scope)]];
    }),
  );
}

function tracingOf(value: JsonValue | undefined): TracingMode {
  // SAM leaves `Disabled` out, and Lambda's default is PassThrough.
  return value === 'Active' ? 'Active' : 'PassThrough';
}

function architectureOf(value: JsonValue | undefined): FunctionSpec['architecture'] {
  return Array.isArray(value) && value[0] === 'arm64' ? 'arm64' : 'x86_64';
}

function loggingOf(config: JsonObject, name: string, where: string): LoggingSpec {
  return {
    format: config.LogFormat === 'JSON' ? 'JSON' : 'Text',
    applicationLevel: levelOf(config.ApplicationLogLevel, `${where}.ApplicationLogLevel`),
    systemLevel: levelOf(config.SystemLogLevel, `${where}.SystemLogLevel`),
    logGroup: asText(config.LogGroup) ?? `/aws/lambda/${name}`,
  };
}

const LOG_LEVELS: readonly string[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

function levelOf(value: JsonValue | undefined, where: string): LogLevel {
  const level = value === undefined ? 'INFO' : String(value);
  if (LOG_LEVELS.includes(level)) return level as LogLevel;
  throw new OpenrayError('SettingInvalid', `${where} is "${level}"; it must be one of ${LOG_LEVELS.join(', ')}`);
}

function buildOf(metadata: JsonObject): BuildSpec {
  const { BuildMethod: method, BuildProperties: properties } = metadata;
  if (typeof method !== 'string') return { kind: 'none' };
  return method === 'esbuild' ? { kind: 'esbuild', properties: objectOf(properties) } : { kind: 'other', method };
}

function numberOf(value: JsonValue | undefined, fallback: number, where: string, min: number, max: number): number {
  if (value === undefined || value === '') return fallback;
  const number = Number(value);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw new OpenrayError(
    'SettingInvalid',
    `${where} is ${JSON.stringify(value)}; it must be a whole number from ${min} to ${max}`,
  );
}

function asText(value: JsonValue | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' && !isNumber(value) ? printJson(value) : String(value);
}
