import { readFileSync } from 'node:fs';
import { basename, dirname, resolve as resolvePath } from 'node:path';
import { OpenrayError } from '../../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue, memberOf, objectOf } from '../../model/json.ts';
import { decodeText } from '../../model/text-encoding.ts';
import { type FunctionSpec, functionArn } from '../spec/function-spec.ts';
import type { GatewayRoute } from '../spec/routes.ts';
import type { ServiceSpecs } from '../spec/services.ts';
import { readPart } from './broken-parts.ts';
import { readServices, serviceValue } from './event-sources.ts';
import { readFunction } from './function.ts';
import { isConditionTrue, type ResourceValue, resolveValue, type Scope } from './intrinsics.ts';
import { expandMacros } from './macros.ts';
import type { RawTemplate, Resource } from './raw-template.ts';
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
  /** One sentence for each part that is not supported or not known here, without duplicates. */
  readonly warnings: readonly string[];
};

export type TemplateOptions = {
  readonly parameters: Readonly<Record<string, string>>;
  readonly region: string;
  readonly accountId: string;
};

const FUNCTION_TYPES = ['AWS::Serverless::Function', 'AWS::Lambda::Function'];

/** Resources that do not run here; each gives a warning. */
const UNSUPPORTED_RESOURCES: Readonly<Record<string, string>> = {
  'AWS::CloudFormation::Stack': 'does not read nested stacks; name their template with --template',
  'AWS::Serverless::Application': 'does not read nested applications; name their template with --template',
  'AWS::Serverless::StateMachine': 'has no Step Functions; its functions run when they are invoked',
  'AWS::StepFunctions::StateMachine': 'has no Step Functions; its functions run when they are invoked',
};

/** Reads a template file. Throws SettingInvalid with one sentence that names the file, the place and the remedy. */
export function readTemplate(file: string, options: TemplateOptions): Template {
  const path = resolvePath(file);
  let text: string;
  try {
    text = decodeText(readFileSync(path));
  } catch (error) {
    const sentence = `${file}: no template can be read here; name one with --template`;
    throw new OpenrayError('SettingInvalid', sentence, { cause: error });
  }
  return parseTemplate(text, path, options);
}

/**
 * Parses a template; the folder of `file` is the base of relative paths. A part that is broken gives a warning, and the
 * rest runs. Throws SettingInvalid when `text` is not a template or has no valid resource.
 */
export function parseTemplate(text: string, file: string, options: TemplateOptions): Template {
  const warnings = new Set<string>();
  const warn = (sentence: string) => void warnings.add(sentence);
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
  if (Object.keys(raw.resources).length === 0) {
    const reason = [...warnings].map((sentence) => ` ${sentence}`).join('');
    throw new OpenrayError(
      'SettingInvalid',
      `${name}: a template has a map of Resources; this one has none.${reason}`.replace(/\.$/, ''),
    );
  }
  for (const [logicalId, { type }] of Object.entries(raw.resources)) {
    const reason = memberOf(UNSUPPORTED_RESOURCES, type);
    if (reason !== undefined) warn(`${logicalId}: openray ${reason}.`);
  }
  const values = resourceValues(raw, base, options);
  const scope: Scope = { ...base, resources: { ...values, ...qualifiedValues(raw, { ...base, resources: values }) } };
  const functions = Object.entries(raw.resources)
    .filter(([, resource]) => FUNCTION_TYPES.includes(resource.type))
    .map(([logicalId, resource]) => readFunction(logicalId, resource, raw, scope));
  const ids = functions.map(({ logicalId }) => logicalId);
  const routes = readRoutes(ids, raw, scope);
  const services = readServices(ids, raw, scope);
  return { file, functions, routes, services, warnings: [...warnings] };
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
      const isList = typeof type === 'string' && /^(CommaDelimitedList|List<)/.test(type);
      return [name, isList && typeof value === 'string' ? value.split(',').map((item) => item.trim()) : value];
    }),
  );
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
      return [[logicalId, { type, properties: objectOf(properties), metadata: objectOf(metadata) }]];
    }),
  );
}

/** Values of all resources. A name may refer only to parameters, so that every other property may refer to names. */
function resourceValues(raw: RawTemplate, scope: Scope, { region, accountId }: TemplateOptions): Scope['resources'] {
  const unnamed: Record<string, ResourceValue> = Object.fromEntries(
    Object.keys(raw.resources).map((logicalId) => [logicalId, { ref: logicalId, attributes: {} }]),
  );
  const nameOf = (value: JsonValue | undefined, logicalId: string) => {
    const name = readPart(
      () => resolveValue(value, { ...scope, resources: unnamed, location: `${logicalId}.FunctionName` }),
      undefined,
      (reason) => scope.warn(`${reason}; it keeps its logical id as its name.`),
    );
    return typeof name === 'string' && name !== '' ? name : undefined;
  };
  return Object.fromEntries(
    Object.entries(raw.resources).map(([logicalId, resource]) => {
      const { type, properties } = resource;
      if (FUNCTION_TYPES.includes(type)) {
        const ref = nameOf(properties.FunctionName, logicalId) ?? logicalId;
        return [logicalId, { ref, attributes: { Arn: functionArn(ref, region, accountId) } }];
      }
      if (type === 'AWS::Logs::LogGroup') {
        return [logicalId, { ref: nameOf(properties.LogGroupName, logicalId) ?? logicalId, attributes: {} }];
      }
      const name = nameOf(properties.QueueName ?? properties.TopicName, logicalId) ?? logicalId;
      const service = serviceValue(resource, name, { region, accountId });
      return [logicalId, service ?? { ref: logicalId, attributes: {} }];
    }),
  );
}

/** Values of aliases and versions; here each of them is the function itself. */
function qualifiedValues(raw: RawTemplate, scope: Scope): Scope['resources'] {
  return Object.fromEntries(
    Object.entries(raw.resources).flatMap(([logicalId, { type, properties }]): [string, ResourceValue][] => {
      const isAlias = type === 'AWS::Lambda::Alias';
      if (!isAlias && type !== 'AWS::Lambda::Version') return [];
      const at = { ...scope, location: logicalId };
      const textOf = (value: JsonValue | undefined) =>
        readPart(
          () => String(resolveValue(value, at) ?? ''),
          '',
          (reason) => scope.warn(`${reason}; it is empty.`),
        );
      const named = textOf(properties.FunctionName);
      const own = Object.values(scope.resources).find(({ ref, attributes }) => [ref, attributes.Arn].includes(named));
      const qualifier = isAlias ? textOf(properties.Name) || 'alias' : '$LATEST';
      const arn = own?.attributes.Arn ?? named;
      return [[logicalId, { ref: `${arn}:${qualifier}`, attributes: { AliasArn: arn, Version: qualifier } }]];
    }),
  );
}
