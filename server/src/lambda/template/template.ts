import { readFileSync } from 'node:fs';
import { basename, dirname, resolve as resolvePath } from 'node:path';
import { OpenrayError } from '../../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { type FunctionSpec, functionArn } from '../spec/function-spec.ts';
import type { GatewayRoute } from '../spec/routes.ts';
import type { ServiceSpecs } from '../spec/services.ts';
import { readServices, serviceValue } from './event-sources.ts';
import { readFunction } from './function.ts';
import { isConditionTrue, type ResourceValue, resolveValue, type Scope } from './intrinsics.ts';
import { expandMacros } from './macros.ts';
import type { RawTemplate, Resource } from './raw-template.ts';
import { readRoutes } from './routes.ts';
import { parseTemplateText } from './text.ts';

/** A SAM or CloudFormation template, as far as it concerns running its functions. */
export type Template = {
  /** Absolute. */
  readonly file: string;
  readonly functions: readonly FunctionSpec[];
  /** What its APIs and function URLs route to them. */
  readonly routes: readonly GatewayRoute[];
  /** Its queues, topics and rules. */
  readonly services: ServiceSpecs;
  /** What can't be done or known here: one sentence each, each once. */
  readonly warnings: readonly string[];
};

export type TemplateOptions = {
  readonly parameters: Readonly<Record<string, string>>;
  readonly region: string;
  readonly accountId: string;
};

const FUNCTION_TYPES = ['AWS::Serverless::Function', 'AWS::Lambda::Function'];

/** What a user may wonder about when it does not run. */
const UNSUPPORTED_RESOURCES: Readonly<Record<string, string>> = {
  'AWS::CloudFormation::Stack': 'does not look into nested stacks; name their template with --template',
  'AWS::Serverless::Application': 'does not look into nested applications; name their template with --template',
  'AWS::Serverless::StateMachine': 'has no Step Functions; its functions run when they are invoked',
  'AWS::StepFunctions::StateMachine': 'has no Step Functions; its functions run when they are invoked',
};

/** Reads a template file. Throws SettingInvalid with one sentence that names file, place and what to do. */
export function readTemplate(file: string, options: TemplateOptions): Template {
  const path = resolvePath(file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const sentence = `${file}: no template can be read here; name one with --template`;
    throw new OpenrayError('SettingInvalid', sentence, { cause: error });
  }
  return parseTemplate(text, path, options);
}

/** The same of a text. `file` gives its kind by its ending, and the folder that relative paths start from. */
export function parseTemplate(text: string, file: string, options: TemplateOptions): Template {
  const written = parseTemplateText(text, file);
  const notes = new Set<string>();
  const name = basename(file);
  const declared = isJsonObject(written.Parameters) ? written.Parameters : {};
  const parameters = parameterValues(declared, options.parameters, notes);
  const template = expandMacros(written, {
    dir: dirname(file),
    parameters,
    warn: (sentence) => notes.add(sentence),
  });
  const section = (key: string): JsonObject => (isJsonObject(template[key]) ? template[key] : {});
  const base: Scope = {
    parameters,
    pseudo: pseudoParameters(options),
    mappings: section('Mappings'),
    conditions: section('Conditions'),
    resources: {},
    warn: (sentence) => notes.add(sentence),
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
    throw new OpenrayError('SettingInvalid', `${name}: a template has a map of Resources; this one has none`);
  }
  for (const [logicalId, { type }] of Object.entries(raw.resources)) {
    const what = UNSUPPORTED_RESOURCES[type];
    if (what !== undefined) base.warn(`${logicalId}: openray ${what}.`);
  }
  const values = resourceValues(raw, base, options);
  const scope: Scope = { ...base, resources: { ...values, ...qualifiedValues(raw, { ...base, resources: values }) } };
  const functions = Object.entries(raw.resources)
    .filter(([, resource]) => FUNCTION_TYPES.includes(resource.type))
    .map(([logicalId, resource]) => readFunction(logicalId, resource, raw, scope));
  const ids = functions.map(({ logicalId }) => logicalId);
  const routes = readRoutes(ids, raw, scope);
  const services = readServices(ids, raw, scope);
  return { file, functions, routes, services, warnings: [...notes] };
}

/** `Key=Value …` or `ParameterKey=Key,ParameterValue=Value …`, as `sam` takes them; one text may hold several. */
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
  notes: Set<string>,
): Scope['parameters'] {
  for (const name of Object.keys(given)) {
    if (!(name in declared)) notes.add(`The template has no parameter ${name}; its value is not used.`);
  }
  return Object.fromEntries(
    Object.entries(declared).map(([name, declaration]) => {
      const { Type: type, Default: fallback } = isJsonObject(declaration) ? declaration : {};
      const value = given[name] ?? fallback;
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
  const active: Record<string, Resource> = {};
  for (const [logicalId, resource] of Object.entries(resources)) {
    if (!isJsonObject(resource) || typeof resource.Type !== 'string') {
      if (logicalId.startsWith('Fn::')) scope.warn(`${file}: ${logicalId} in Resources is not supported.`);
      else throw new OpenrayError('SettingInvalid', `${file}: Resources.${logicalId} needs a Type`);
      continue;
    }
    const { Condition: condition, Properties: properties, Metadata: metadata } = resource;
    if (typeof condition === 'string' && !isConditionTrue(condition, scope)) continue;
    active[logicalId] = {
      type: resource.Type,
      properties: isJsonObject(properties) ? properties : {},
      metadata: isJsonObject(metadata) ? metadata : {},
    };
  }
  return active;
}

/** Names first, with nothing but parameters to refer to: everything else may refer to them. */
function resourceValues(raw: RawTemplate, scope: Scope, { region, accountId }: TemplateOptions): Scope['resources'] {
  const plain: Record<string, ResourceValue> = Object.fromEntries(
    Object.keys(raw.resources).map((logicalId) => [logicalId, { ref: logicalId, attributes: {} }]),
  );
  const nameOf = (value: JsonValue | undefined, logicalId: string) => {
    const name = resolveValue(value, { ...scope, resources: plain, location: `${logicalId}.FunctionName` });
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

/** Aliases and versions: here they all are the function itself. */
function qualifiedValues(raw: RawTemplate, scope: Scope): Scope['resources'] {
  return Object.fromEntries(
    Object.entries(raw.resources).flatMap(([logicalId, { type, properties }]): [string, ResourceValue][] => {
      const isAlias = type === 'AWS::Lambda::Alias';
      if (!isAlias && type !== 'AWS::Lambda::Version') return [];
      const at = { ...scope, location: logicalId };
      const named = String(resolveValue(properties.FunctionName, at) ?? '');
      const own = Object.values(scope.resources).find(({ ref, attributes }) => [ref, attributes.Arn].includes(named));
      const qualifier = isAlias ? String(resolveValue(properties.Name, at) ?? 'alias') : '$LATEST';
      const arn = own?.attributes.Arn ?? named;
      return [[logicalId, { ref: `${arn}:${qualifier}`, attributes: { AliasArn: arn, Version: qualifier } }]];
    }),
  );
}
