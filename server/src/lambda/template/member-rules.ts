import { isNumber } from '../../model/exact-number.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { parsedObject } from './values.ts';

/** A member of an event or a resource that openray reads. */
export type MemberRule = {
  /** As it follows "is not": `a list`. */
  readonly expects: string;
  readonly isValid: (value: JsonValue) => boolean;
  /** Without it the event or the resource does nothing. */
  readonly isRequired?: true;
};

export type MemberRules = Readonly<Record<string, MemberRule>>;

const BOOLEANS: readonly JsonValue[] = [true, false, 'true', 'false'];

export const TEXT: MemberRule = {
  expects: 'a text',
  isValid: (value) => (typeof value === 'string' && value !== '') || isNumber(value),
};
export const FLAG: MemberRule = { expects: 'true or false', isValid: (value) => BOOLEANS.includes(value) };
export const LIST: MemberRule = { expects: 'a list', isValid: (value) => Array.isArray(value) };
export const OBJECT: MemberRule = { expects: 'an object', isValid: isJsonObject };
/** Also its JSON as text. */
export const JSON_OBJECT: MemberRule = {
  expects: 'an object',
  isValid: (value) => parsedObject(value) !== undefined,
};

const METHODS: readonly string[] = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'ANY'];
/** Of a route, in any case. */
export const METHOD: MemberRule = {
  expects: `one of ${METHODS.join(', ')}`,
  isValid: (value) =>
    typeof value === 'string' && [...METHODS, '*', 'X-AMAZON-APIGATEWAY-ANY-METHOD'].includes(value.toUpperCase()),
};

export function required(rule: MemberRule): MemberRule {
  return { ...rule, isRequired: true };
}

export function oneOf(...values: readonly string[]): MemberRule {
  const expects = `one of ${values.join(', ')}`;
  return { expects, isValid: (value) => values.includes(String(value)) && typeof value !== 'object' };
}

/** Also as a text of digits. */
export function wholeNumber(min: number, max: number): MemberRule {
  return {
    expects: `a whole number from ${min} to ${max}`,
    isValid: (value) => /^\d+$/.test(String(value)) && !Array.isArray(value) && within(Number(value), min, max),
  };
}

/** Of every source that Lambda polls. */
export const POLLING: MemberRules = {
  BatchSize: wholeNumber(1, 10_000),
  MaximumBatchingWindowInSeconds: wholeNumber(0, 300),
  Enabled: FLAG,
  FunctionResponseTypes: LIST,
  FilterCriteria: OBJECT,
  ScalingConfig: OBJECT,
};

/**
 * The properties without their invalid members; undefined when a required member is missing or invalid. Each invalid
 * member gives one warning, and the default takes its place.
 */
export function validMembers(
  where: string,
  properties: JsonObject,
  rules: MemberRules,
  warn: (sentence: string) => void,
): JsonObject | undefined {
  const invalid = new Set<string>();
  for (const [name, { expects, isValid, isRequired = false }] of Object.entries(rules)) {
    const value = properties[name];
    if (value === undefined ? !isRequired : isValid(value)) continue;
    if (value === undefined) warn(`${where} has no ${name}; it is left out.`);
    else {
      const effect = isRequired ? `${where} is left out` : 'the default takes its place';
      warn(`${where}.${name} is ${shown(value)}, not ${expects}; ${effect}.`);
    }
    if (isRequired) return undefined;
    invalid.add(name);
  }
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !invalid.has(name)));
}

/** At most 40 characters of its JSON. */
export function shown(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

function within(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}
