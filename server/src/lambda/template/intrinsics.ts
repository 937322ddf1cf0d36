import { OpenrayError } from '../../errors.ts';
import { printJson } from '../../model/exact-json.ts';
import { isNumber } from '../../model/exact-number.ts';
import { isJsonObject, type JsonObject, type JsonValue, memberOf } from '../../model/json.ts';
import type { ResourceValue } from './resource-types.ts';
import { splitAttribute } from './text.ts';

/** The values that intrinsic functions of a template refer to. */
export type Scope = {
  /** Undefined for a parameter without value and default. */
  readonly parameters: Readonly<Record<string, JsonValue | undefined>>;
  readonly pseudo: Readonly<Record<string, JsonValue>>;
  readonly mappings: JsonObject;
  readonly conditions: JsonObject;
  /** Values of `Ref` and `GetAtt` by logical id. */
  readonly resources: Readonly<Record<string, ResourceValue>>;
  /** Folders of layers by ARN or name, absolute. */
  readonly layers: Readonly<Record<string, string>>;
  /** See `Place`. */
  readonly gatewayUrl: string;
  /** Receives a sentence for each value that is not known locally. */
  readonly warn: (sentence: string) => void;
  /** The place in the template, for messages. */
  readonly location: string;
  /** A parameter without a value is an error, not an empty text. */
  readonly isStrict: boolean;
};

/** `AWS::NoValue`: the property is left out. */
const NO_VALUE = Symbol('AWS::NoValue');
type Resolved = JsonValue | typeof NO_VALUE;

/** `value` with all intrinsic functions evaluated. Undefined when the result is `AWS::NoValue`. */
export function resolveValue(value: JsonValue | undefined, scope: Scope): JsonValue | undefined {
  if (value === undefined) return undefined;
  const resolved = resolve(value, scope);
  return resolved === NO_VALUE ? undefined : resolved;
}

/** Evaluates one of `Conditions`. Throws SettingInvalid when it does not exist or depends on itself. */
export function isConditionTrue(name: string, scope: Scope): boolean {
  if (!Object.hasOwn(scope.conditions, name)) throw invalid(scope, `there is no condition ${name}`);
  // Without the condition itself: one that depends on itself is reported as missing, instead of an endless recursion.
  const { [name]: condition, ...conditions } = scope.conditions;
  return isTrue(condition as JsonValue, { ...scope, conditions, location: `Conditions.${name}` });
}

function resolve(value: JsonValue, scope: Scope): Resolved {
  if (Array.isArray(value)) {
    return (value as readonly JsonValue[]).flatMap((item) => {
      const resolved = resolve(item, scope);
      return resolved === NO_VALUE ? [] : [resolved];
    });
  }
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) {
    const [key, argument] = only;
    if (key === 'Ref') return ref(argument, scope);
    if (key === 'Condition' && typeof argument === 'string') return isConditionTrue(argument, scope);
    if (key.startsWith('Fn::')) return callFunction(key.slice(4), argument, scope);
  }
  return Object.fromEntries(
    entries.flatMap(([key, item]) => {
      const resolved = resolve(item, scope);
      return resolved === NO_VALUE ? [] : [[key, resolved]];
    }),
  );
}

function callFunction(name: string, argument: JsonValue, scope: Scope): Resolved {
  switch (name) {
    case 'If': {
      const [condition, then, otherwise] = listOf(argument, name, scope, 3);
      return resolve((isConditionTrue(String(condition), scope) ? then : otherwise) as JsonValue, scope);
    }
    case 'Equals':
    case 'And':
    case 'Or':
    case 'Not':
      return isTrue({ [`Fn::${name}`]: argument }, scope);
    case 'Sub':
      return substitute(argument, scope);
    case 'GetAtt': {
      const parts = typeof argument === 'string' ? splitAttribute(argument) : listOf(argument, name, scope, 2);
      return attribute(String(parts[0]), textOf(parts[1] as JsonValue, scope), scope);
    }
    case 'FindInMap':
      return findInMap(listOf(argument, name, scope, 3), scope);
    case 'Join': {
      const [separator, items] = listOf(argument, name, scope, 2);
      return resolvedList(items as JsonValue, name, scope)
        .map(scalarText)
        .join(String(separator));
    }
    case 'Split': {
      const [separator, text] = listOf(argument, name, scope, 2);
      return textOf(text as JsonValue, scope).split(String(separator));
    }
    case 'Select': {
      const [index, items] = listOf(argument, name, scope, 2);
      const picked = resolvedList(items as JsonValue, name, scope)[Number(textOf(index as JsonValue, scope))];
      if (picked === undefined) throw invalid(scope, 'Fn::Select asks for an item that the list does not have');
      return picked;
    }
    case 'Base64':
      return Buffer.from(textOf(argument, scope)).toString('base64');
    case 'GetAZs': {
      const region = textOf(argument, scope) || scalarText(scope.pseudo['AWS::Region'] ?? '');
      return ['a', 'b', 'c'].map((zone) => region + zone);
    }
    case 'Cidr':
      return cidr(resolvedList(argument, name, scope), scope);
    case 'Length':
      return resolvedList(argument, name, scope).length;
    case 'ToJsonString':
      return printJson(resolveValue(argument, scope) ?? null);
    case 'ImportValue': {
      const text = textOf(argument, scope);
      scope.warn(`${scope.location}: the export ${text} of another stack is not known here; its name is used instead.`);
      return text;
    }
    default:
      scope.warn(`${scope.location}: Fn::${name} is not supported; its value is left empty.`);
      return '';
  }
}

function ref(argument: JsonValue, scope: Scope): Resolved {
  const name = String(argument);
  if (name === 'AWS::NoValue') return NO_VALUE;
  const pseudo = memberOf(scope.pseudo, name);
  if (pseudo !== undefined) return pseudo;
  if (Object.hasOwn(scope.parameters, name)) {
    const value = scope.parameters[name];
    if (value !== undefined) return value;
    if (scope.isStrict) throw invalid(scope, `the parameter ${name} has no value; give it with --parameter-overrides`);
    scope.warn(`${scope.location}: the parameter ${name} has no value; it is empty.`);
    return '';
  }
  const resource = memberOf(scope.resources, name);
  if (resource !== undefined) return resource.ref;
  scope.warn(`${scope.location}: there is no ${name} to refer to; its name is used instead.`);
  return name;
}

function attribute(logicalId: string, name: string, scope: Scope): string {
  const attributes = memberOf(scope.resources, logicalId)?.attributes ?? {};
  const value = memberOf(attributes, name);
  if (value !== undefined) return value;
  const reason = Object.hasOwn(scope.resources, logicalId) ? 'is not known here' : 'is of no resource of this template';
  scope.warn(`The attribute ${logicalId}.${name} ${reason}; its name is used instead.`);
  return `${logicalId}.${name}`;
}

function substitute(argument: JsonValue, scope: Scope): string {
  const [template, extra] = typeof argument === 'string' ? [argument] : listOf(argument, 'Sub', scope, 1);
  const values = isJsonObject(extra) ? extra : {};
  return String(template).replace(/\$\{([^}]*)\}/g, (whole, text: string) => {
    const name = text.trim();
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    if (name === '') return whole;
    if (Object.hasOwn(values, name)) return textOf(values[name] as JsonValue, scope);
    const [first, rest] = splitAttribute(name);
    return rest === undefined || Object.hasOwn(scope.resources, name)
      ? textOf({ Ref: name }, scope)
      : attribute(first ?? '', rest, scope);
  });
}

function findInMap([map, first, second, fallback]: readonly JsonValue[], scope: Scope): Resolved {
  const keys = [map, first, second].map((key) => textOf(key as JsonValue, scope));
  let found: JsonValue | undefined = scope.mappings;
  for (const key of keys) found = isJsonObject(found) ? memberOf(found, key) : undefined;
  if (found !== undefined) return resolve(found, scope);
  if (isJsonObject(fallback) && fallback.DefaultValue !== undefined) return resolve(fallback.DefaultValue, scope);
  throw invalid(scope, `Mappings has no ${keys.join('.')}`);
}

function isTrue(condition: JsonValue, scope: Scope): boolean {
  if (!isJsonObject(condition)) return condition === true || condition === 'true';
  const [key, argument] = Object.entries(condition)[0] ?? [];
  const list = () => listOf(argument as JsonValue, String(key), scope, 1);
  switch (key) {
    case 'Fn::Equals': {
      const [left, right] = list();
      return scalarText(resolveValue(left, scope) ?? '') === scalarText(resolveValue(right, scope) ?? '');
    }
    case 'Fn::And':
      return list().every((item) => isTrue(item, scope));
    case 'Fn::Or':
      return list().some((item) => isTrue(item, scope));
    case 'Fn::Not':
      return !isTrue(list()[0] as JsonValue, scope);
    case 'Condition':
      return isConditionTrue(String(argument), scope);
    default:
      throw invalid(scope, `${key ?? 'an empty map'} is not a condition`);
  }
}

/** `[ipBlock, count, cidrBits]` to `count` blocks of IPv4 addresses, at most 256. */
function cidr([block, count, bits]: readonly JsonValue[], scope: Scope): readonly string[] {
  const address = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/\d+$/.exec(String(block));
  const size = Number(bits ?? 8);
  if (address === null || !(size > 0 && size < 32)) throw invalid(scope, 'Fn::Cidr takes an IPv4 block, a count, bits');
  const start = address.slice(1).reduce((sum, part) => sum * 256 + Number(part), 0);
  return Array.from({ length: Math.min(256, Number(count)) }, (_, index) => {
    const ip = start + index * 2 ** size;
    return `${[24, 16, 8, 0].map((shift) => Math.floor(ip / 2 ** shift) % 256).join('.')}/${32 - size}`;
  });
}

function textOf(value: JsonValue, scope: Scope): string {
  return scalarText(resolveValue(value, scope) ?? '');
}

/** A list becomes text as in CloudFormation, with commas. */
function scalarText(value: JsonValue): string {
  if (Array.isArray(value)) return value.map(scalarText).join(',');
  return typeof value === 'object' && value !== null && !isNumber(value) ? printJson(value) : String(value ?? '');
}

function resolvedList(value: JsonValue, name: string, scope: Scope): readonly JsonValue[] {
  const resolved = resolveValue(value, scope);
  if (!Array.isArray(resolved)) throw invalid(scope, `Fn::${name} takes a list`);
  return resolved;
}

function listOf(value: JsonValue, name: string, scope: Scope, length: number): readonly JsonValue[] {
  if (!Array.isArray(value) || value.length < length) {
    throw invalid(scope, `${name.replace(/^(?!Fn::)/, 'Fn::')} takes a list of ${length} or more`);
  }
  return value;
}

function invalid(scope: Scope, reason: string): OpenrayError {
  return new OpenrayError('SettingInvalid', `${scope.location}: ${reason}`);
}
