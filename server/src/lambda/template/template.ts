import { readFileSync } from 'node:fs';
import { basename, dirname, resolve as resolvePath } from 'node:path';
import { OpenrayError } from '../../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue, memberOf, objectOf } from '../../model/json.ts';
import { decodeText } from '../../model/text-encoding.ts';
import type { FunctionSpec } from '../spec/function-spec.ts';
import type { GatewayRoute } from '../spec/routes.ts';
import type { ServiceSpecs } from '../spec/services.ts';
import { readPart } from './broken-parts.ts';
import { readServices } from './event-sources.ts';
import { readFunction } from './function.ts';
import { readFunctionEvents } from './function-events.ts';
import { isConditionTrue, type Scope } from './intrinsics.ts';
import { expandMacros } from './macros.ts';
import { shown } from './member-rules.ts';
import type { RawTemplate, Resource } from './raw-template.ts';
import { isFunction } from './resource-types.ts';
import { resourceValues } from './resource-values.ts';
import { readRoutes } from './routes.ts';
import { parseTemplateText } from './text.ts';

/** The parts of a SAM or CloudFormation template that running its functions needs. */
export type Template = {
  /** Absolute. */
  readonly file: string;
  readonly functions: readonly FunctionSpec[];
  /** Routes of its APIs and function URLs. */
  readonly routes: readonly GatewayRoute[];
  /** Its queues, topics, event rules and schedules. */
  readonly services: ServiceSpecs;
  /** All resources whose condition is true, in the order of the template. */
  readonly resources: readonly { readonly logicalId: string; readonly type: string }[];
  /**
   * One sentence for each part of the whole template that is not supported or not known here, without duplicates.
   * Sentences about a function are in its own `warnings`.
   */
  readonly warnings: readonly string[];
  /** As `warnings`, about the events, routes, rules and schedules that start functions. */
  readonly sourceWarnings: readonly string[];
};

export type TemplateOptions = {
  readonly parameters: Readonly<Record<string, string>>;
  readonly region: string;
  readonly accountId: string;
  /** URL of the gateway that serves the APIs and function URLs; by default that of `start-api`. */
  readonly gatewayUrl?: string | undefined;
  /** Folders of layers by ARN or name, absolute. */
  readonly layers?: Readonly<Record<string, string>>;
  /** Tracing mode of all functions; that of the template by default. */
  readonly tracing?: 'active' | 'passthrough' | 'template';
};

const TRACING_MODES = { active: 'Active', passthrough: 'PassThrough', template: undefined } as const;

const DEFAULT_GATEWAY_URL = 'http://127.0.0.1:3000';

const STATE_MACHINE = 'does not run state machines; their functions run only when you invoke them';

/** Resources that do not run here; each gives a warning. */
const UNSUPPORTED_RESOURCES: Readonly<Record<string, string>> = {
  'AWS::CloudFormation::Stack': 'does not read nested stacks; name their template with --template',
  'AWS::Serverless::Application': 'does not read nested applications; name their template with --template',
  'AWS::Serverless::StateMachine': STATE_MACHINE,
  'AWS::StepFunctions::StateMachine': STATE_MACHINE,
};

/** Reads a template file. Throws SettingInvalid with one sentence that names the file, the place and the remedy. */
export function readTemplate(file: string, options: TemplateOptions): Template {
  const path = resolvePath(file);
  let text: string;
  try {
    text = decodeText(readFileSync(path));
  } catch (cause) {
    throw new OpenrayError('SettingInvalid', `${readFailure(path, cause)}; name one with --template`, { cause });
  }
  return parseTemplate(text, path, options);
}

function readFailure(path: string, cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no template ${path}`;
  if (code === 'EISDIR') return `${path} is a folder, not a template`;
  return `the template ${path} cannot be read: ${message}`;
}

/**
 * Parses a template; the folder of `file` is the base of relative paths. A part that is broken gives a warning, and the
 * rest runs. Throws SettingInvalid when `text` is not a template or has no valid resource.
 */
export function parseTemplate(text: string, file: string, options: TemplateOptions): Template {
  const warnings = new Set<string>();
  const warn = (sentence: string) => void warnings.add(sentence);
  const sourceWarnings = new Set<string>();
  const warnOfSource = (sentence: string) => void sourceWarnings.add(sentence);
  const source = parseTemplateText(text, file, warn);
  const name = basename(file);
  const declared = objectOf(source.Parameters);
  const parameters = parameterValues(declared, options.parameters, warn);
  const template = expandMacros(source, { dir: dirname(file), parameters, warn });
  const section = (key: string): JsonObject => objectOf(template[key]);
  const base: Scope = {
    parameters,
    pseudo: pseudoParameters(options),
    mappings: section('Mappings'),
    conditions: section('Conditions'),
    resources: {},
    layers: options.layers ?? {},
    gatewayUrl: options.gatewayUrl ?? DEFAULT_GATEWAY_URL,
    warn,
    location: name,
    isStrict: false,
  };
  const raw = {
    file,
    dir: dirname(file),
    globals: section('Globals'),
    resources: activeResources(section('Resources'), base, name),
  };
  // Not of `raw`: the conditions of all resources may be false.
  if (!Object.values(section('Resources')).some((resource) => typeof objectOf(resource).Type === 'string')) {
    const reason = [...warnings].map((sentence) => ` ${sentence}`).join('');
    throw new OpenrayError(
      'SettingInvalid',
      `${name}: a template has a map of Resources; this one has none.${reason}`.replace(/\.$/, ''),
    );
  }
  for (const [logicalId, { type }] of Object.entries(raw.resources)) {
    const reason = memberOf(UNSUPPORTED_RESOURCES, type);
    if (reason !== undefined) warnOfSource(`${logicalId}: openray ${reason}.`);
  }
  const { gatewayUrl } = base;
  const scope: Scope = { ...base, resources: resourceValues(raw, base, { ...options, gatewayUrl }) };
  const functions = Object.entries(raw.resources)
    .filter(([, resource]) => isFunction(resource.type))
    .map(([logicalId, resource]) => readFunction(logicalId, resource, raw, scope))
    .map((spec) => ({ ...spec, tracing: TRACING_MODES[options.tracing ?? 'template'] ?? spec.tracing }));
  const ids = functions.map(({ logicalId }) => logicalId);
  const sourceScope: Scope = { ...scope, warn: warnOfSource };
  const events = readFunctionEvents(ids, raw, sourceScope);
  const routes = readRoutes(ids, events, raw, sourceScope);
  const services = readServices(ids, events, raw, sourceScope);
  const resources = Object.entries(raw.resources).map(([logicalId, { type }]) => ({ logicalId, type }));
  const aboutAll = { warnings: [...warnings], sourceWarnings: [...sourceWarnings] };
  return { file, functions, routes, services, resources, ...aboutAll };
}

/** All sentences about a template, without duplicates: about the whole, about each function, about their events. */
export function allWarnings({ warnings, functions, sourceWarnings }: Template): readonly string[] {
  return [...new Set([...warnings, ...functions.flatMap((spec) => spec.warnings), ...sourceWarnings])];
}

/** Parses `Key=Value …` or `ParameterKey=Key,ParameterValue=Value …`, as `sam` does; a text may hold several. */
export function parseParameterOverrides(texts: readonly string[]): Record<string, string> {
  const overrides: Record<string, string> = {};
  for (const text of texts) {
    const pair = text.includes('ParameterKey=')
      ? /ParameterKey=([^,\s]+),ParameterValue=("[^"]*"|\S*)/g
      : /([A-Za-z0-9]+)=("[^"]*"|\S*)/g;
    const rest = text.replace(pair, (_pair, key: string, value: string) => {
      overrides[key] = value.replace(/^"(.*)"$/, '$1');
      return '';
    });
    if (text === '' || rest.trim() !== '') {
      const sentence = `not a parameter: "${rest.trim()}"; write it as Key=Value, or Key="some words"`;
      throw new OpenrayError('InvalidRequestException', sentence);
    }
  }
  return overrides;
}

function parameterValues(
  declared: JsonObject,
  given: TemplateOptions['parameters'],
  warn: Scope['warn'],
): Scope['parameters'] {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(declared, name)) warn(`The template has no parameter ${name}; its value is not used.`);
  }
  return Object.fromEntries(
    Object.entries(declared).map(([name, declaration]) => {
      const { Type: type, Default: fallback } = objectOf(declaration);
      const value = memberOf(given, name) ?? fallback;
      if (isParameterStoreName(type, value) && memberOf(given, name) === undefined) {
        warn(`The parameter ${name} is in the Parameter Store; its name ${value} is used. ${PARAMETER_REMEDY}`);
      }
      const isList = typeof type === 'string' && /^(CommaDelimitedList|List<)/.test(type);
      return [name, isList && typeof value === 'string' ? value.split(',').map((item) => item.trim()) : value];
    }),
  );
}

const PARAMETER_REMEDY = 'Give its value with --parameter-overrides.';

/** Images and other values that AWS publishes are of no use here. */
function isParameterStoreName(type: JsonValue | undefined, value: JsonValue | undefined): boolean {
  const isInStore = typeof type === 'string' && type.startsWith('AWS::SSM::Parameter::Value<');
  return isInStore && typeof value === 'string' && value !== '' && !value.startsWith('/aws/service/');
}

function pseudoParameters({ region, accountId }: TemplateOptions): Scope['pseudo'] {
  return {
    'AWS::Region': region,
    'AWS::AccountId': accountId,
    'AWS::Partition': 'aws',
    'AWS::StackName': 'local',
    'AWS::StackId': `arn:aws:cloudformation:${region}:${accountId}:stack/local/00000000-0000-4000-8000-000000000000`,
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::NotificationARNs': [],
  };
}

function activeResources(resources: JsonObject, scope: Scope, file: string): RawTemplate['resources'] {
  return Object.fromEntries(
    Object.entries(resources).flatMap(([logicalId, resource]): readonly (readonly [string, Resource])[] => {
      if (!isJsonObject(resource) || typeof resource.Type !== 'string') {
        if (logicalId.startsWith('Fn::')) scope.warn(`${file}: ${logicalId} in Resources is not supported.`);
        else scope.warn(`${file}: Resources.${logicalId} needs a Type; it is left out.`);
        return [];
      }
      const { Type: type, Condition: condition, Properties: properties, Metadata: metadata } = resource;
      const isActive = readPart(
        () => typeof condition !== 'string' || isConditionTrue(condition, scope),
        true,
        (reason) => scope.warn(`${reason}; the condition of ${logicalId} counts as true.`),
      );
      if (!isActive) return [];
      if (properties !== undefined && !isJsonObject(properties)) {
        scope.warn(`${logicalId}.Properties is ${shown(properties)}, not an object; it counts as empty.`);
      }
      return [[logicalId, { type, properties: objectOf(properties), metadata: objectOf(metadata) }]];
    }),
  );
}
