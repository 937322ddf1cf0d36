import { BlockList, isIP } from 'node:net';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';

/**
 * The comparison operators of EventBridge's event patterns. Filter policies of SNS and filters of event sources use them
 * too.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export const PATTERN_OPERATORS = [
  ...(['prefix', 'suffix', 'equals-ignore-case', 'wildcard', 'anything-but'] as const),
  ...(['numeric', 'cidr', 'exists'] as const),
];

export type PatternOperator = (typeof PATTERN_OPERATORS)[number];

/** Operators whose operand `anything-but` may negate. */
const NEGATED: readonly string[] = ['prefix', 'suffix', 'equals-ignore-case', 'wildcard'];
const COMPARISONS: readonly JsonValue[] = ['=', '<', '<=', '>', '>='];
const PROBLEMS_MAX = 10;

export function isPatternOperator(name: string): name is PatternOperator {
  return PATTERN_OPERATORS.some((operator) => operator === name);
}

/** Whether `$or` joins patterns here. Elsewhere it is the name of a field, as in EventBridge. */
export function isOrList(value: JsonValue | undefined): value is readonly JsonObject[] {
  if (!Array.isArray(value)) return false;
  const parts = value as readonly JsonValue[];
  return parts.length >= 2 && parts.every((part) => isJsonObject(part) && !Object.keys(part).some(isPatternOperator));
}

/** One sentence for each part that EventBridge refuses, at most PROBLEMS_MAX. Such a part matches no event here. */
export function patternProblems(pattern: JsonObject): readonly string[] {
  return fieldProblems(pattern, []).slice(0, PROBLEMS_MAX);
}

function fieldProblems(pattern: JsonObject, path: readonly string[]): readonly string[] {
  return Object.entries(pattern).flatMap(([key, wanted]) => {
    if (key === '$or' && isOrList(wanted)) return wanted.flatMap((part) => fieldProblems(part, path));
    const at = [...path, key];
    if (isJsonObject(wanted)) return fieldProblems(wanted, at);
    const field = at.join('.').slice(0, 100);
    if (!Array.isArray(wanted)) return [`${field} must be a list of values or an object`];
    if (wanted.length === 0) return [`${field} is an empty list`];
    return (wanted as readonly JsonValue[]).flatMap((condition) => {
      const problem = conditionProblem(condition);
      return problem === undefined ? [] : [`${field}: ${problem}`];
    });
  });
}

function conditionProblem(condition: JsonValue): string | undefined {
  if (Array.isArray(condition)) return 'a list cannot be in a list';
  if (!isJsonObject(condition)) return undefined;
  const names = Object.keys(condition);
  const unknown = names.find((name) => !isPatternOperator(name));
  if (unknown !== undefined) {
    return `there is no operator ${shown(unknown)}; EventBridge has ${PATTERN_OPERATORS.join(', ')}`;
  }
  const [name] = names;
  if (name === undefined || names.length > 1) return `a condition has one operator, not ${names.length}`;
  return operandProblem(name as PatternOperator, condition[name] as JsonValue);
}

function operandProblem(operator: PatternOperator, operand: JsonValue): string | undefined {
  const takes = (form: string) => `${operator} takes ${form}, not ${shown(operand)}`;
  switch (operator) {
    case 'prefix':
    case 'suffix': {
      const text = isJsonObject(operand) ? ignoredCase(operand) : operand;
      return typeof text === 'string' ? undefined : takes('a text, or {"equals-ignore-case": text}');
    }
    case 'equals-ignore-case':
      return typeof operand === 'string' ? undefined : takes('a text');
    case 'wildcard':
      return isWildcard(operand)
        ? undefined
        : takes('a text with *, in which ** is not allowed, nor \\ before a letter');
    case 'anything-but':
      return isNegatable(operand) ? undefined : takes(`texts, numbers, or one of ${NEGATED.join(', ')}`);
    case 'numeric':
      return isNumericRange(operand) ? undefined : takes('a list such as [">", 0, "<=", 5]');
    case 'cidr':
      return typeof operand === 'string' && parseCidr(operand) ? undefined : takes('a block such as 10.0.0.0/24');
    case 'exists':
      return typeof operand === 'boolean' ? undefined : takes('true or false');
  }
}

/** The text of `{ "equals-ignore-case": text }`; undefined for any other object. */
export function ignoredCase(operand: JsonObject): string | undefined {
  const { 'equals-ignore-case': text } = operand;
  return typeof text === 'string' && Object.keys(operand).length === 1 ? text : undefined;
}

function isWildcard(operand: JsonValue): boolean {
  return typeof operand === 'string' && parseWildcard(operand) !== undefined;
}

/** The texts between the asterisks; undefined when EventBridge refuses the wildcard. `\*` and `\\` are characters. */
export function parseWildcard(text: string): readonly string[] | undefined {
  const tokens = text.match(/\\[\s\S]?|[\s\S]/gu) ?? [];
  const parts = [''];
  for (const [index, token] of tokens.entries()) {
    if (token === '*') {
      if (tokens[index - 1] === '*') return undefined;
      parts.push('');
    } else {
      if (token.startsWith('\\') && token !== '\\*' && token !== '\\\\') return undefined;
      parts.push(`${parts.pop()}${token.startsWith('\\') ? token.slice(1) : token}`);
    }
  }
  return parts;
}

function isNegatable(operand: JsonValue): boolean {
  if (isJsonObject(operand)) {
    const [entry, ...rest] = Object.entries(operand);
    if (entry === undefined || rest.length > 0 || !NEGATED.includes(entry[0])) return false;
    const isValid = (value: JsonValue) => (entry[0] === 'wildcard' ? isWildcard(value) : typeof value === 'string');
    return Array.isArray(entry[1])
      ? entry[1].length > 0 && (entry[1] as JsonValue[]).every(isValid)
      : isValid(entry[1]);
  }
  const values = Array.isArray(operand) ? (operand as readonly JsonValue[]) : [operand];
  return values.length > 0 && ['string', 'number'].some((type) => values.every((value) => typeof value === type));
}

/** One comparison, or a lower and an upper bound. */
function isNumericRange(operand: JsonValue): boolean {
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) return false;
  return (operand as readonly JsonValue[]).every((value, index) =>
    index % 2 === 0 ? COMPARISONS.includes(value) : typeof value === 'number',
  );
}

/** The block of an IPv4 or IPv6 CIDR; undefined when `text` is none. */
export function parseCidr(text: string): BlockList | undefined {
  const [, address = '', bits = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0 || Number(bits) > (version === 4 ? 32 : 128)) return undefined;
  const block = new BlockList();
  block.addSubnet(address, Number(bits), version === 4 ? 'ipv4' : 'ipv6');
  return block;
}

function shown(value: JsonValue): string {
  return JSON.stringify(value).slice(0, 60);
}
