import { isIP } from 'node:net';
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import {
  ignoredCase,
  isOrList,
  isPatternOperator,
  type PatternOperator,
  parseCidr,
  parseWildcard,
} from '../spec/pattern-problems.ts';

/**
 * Whether an event matches a pattern of EventBridge, or the attributes of a message a filter policy of SNS. Each member
 * of the pattern is a list of conditions, of which one must match, or a pattern for the nested object. Of a list of
 * objects one must match. A part that EventBridge refuses matches nothing.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export function fitsPattern(event: JsonObject, pattern: JsonObject): boolean {
  return Object.entries(pattern).every(([key, wanted]) => {
    if (key === '$or' && isOrList(wanted)) return wanted.some((part) => fitsPattern(event, part));
    const value = Object.hasOwn(event, key) ? event[key] : undefined;
    if (isJsonObject(wanted)) return matchesNested(value, wanted);
    const conditions = Array.isArray(wanted) ? (wanted as readonly JsonValue[]) : [wanted];
    const leaves = leavesOf(value);
    return conditions.some((condition) => leaves.some((leaf) => matchesCondition(leaf, condition)));
  });
}

function matchesNested(value: JsonValue | undefined, pattern: JsonObject): boolean {
  const objects = elementsOf(value).filter(isJsonObject);
  return (objects.length === 0 ? [{}] : objects).some((element) => fitsPattern(element, pattern));
}

/** Values without objects, which are no leaves of an event; one undefined value when there is no leaf. */
function leavesOf(value: JsonValue | undefined): readonly (JsonValue | undefined)[] {
  const leaves = elementsOf(value).filter((leaf) => !isJsonObject(leaf));
  return leaves.length === 0 ? [undefined] : leaves;
}

/** Lists that are nested deeper stay lists, which match no condition on a value. */
const LIST_LEVELS_MAX = 16;

/** The value, or the elements of a list and of the lists in it. */
function elementsOf(value: JsonValue | undefined): readonly (JsonValue | undefined)[] {
  if (!Array.isArray(value)) return [value];
  return (value as readonly unknown[]).flat(LIST_LEVELS_MAX as number) as readonly JsonValue[];
}

function matchesCondition(value: JsonValue | undefined, condition: JsonValue): boolean {
  if (!isJsonObject(condition)) return value === condition;
  const [entry, ...others] = Object.entries(condition);
  if (entry === undefined || others.length > 0) return false;
  const [operator, operand] = entry;
  return isPatternOperator(operator) && matchesOperator(value, operator, operand);
}

function matchesOperator(value: JsonValue | undefined, operator: PatternOperator, operand: JsonValue): boolean {
  const text = typeof value === 'string' ? value : undefined;
  switch (operator) {
    case 'exists':
      return (value !== undefined) === operand;
    case 'prefix':
    case 'suffix':
      return text !== undefined && matchesEnd(text, operator, operand);
    case 'equals-ignore-case':
      return typeof operand === 'string' && text?.toLowerCase() === operand.toLowerCase();
    case 'wildcard':
      return text !== undefined && typeof operand === 'string' && matchesWildcard(text, operand);
    case 'anything-but':
      return (
        value !== undefined && !excludedConditions(operand).some((condition) => matchesCondition(value, condition))
      );
    case 'numeric':
      return typeof value === 'number' && Array.isArray(operand) && isInRange(value, operand as readonly JsonValue[]);
    case 'cidr':
      return text !== undefined && typeof operand === 'string' && isInBlock(text, operand);
  }
}

/** `operand` is a text, or `{ "equals-ignore-case": text }`. */
function matchesEnd(text: string, end: 'prefix' | 'suffix', operand: JsonValue): boolean {
  const ignored = isJsonObject(operand) ? ignoredCase(operand)?.toLowerCase() : undefined;
  const wanted = ignored ?? operand;
  if (typeof wanted !== 'string') return false;
  const subject = ignored === undefined ? text : text.toLowerCase();
  return end === 'prefix' ? subject.startsWith(wanted) : subject.endsWith(wanted);
}

/** A value, values, `{ prefix: text }` or `{ prefix: [texts] }` as conditions. */
function excludedConditions(operand: JsonValue): readonly JsonValue[] {
  if (Array.isArray(operand)) return operand as readonly JsonValue[];
  if (!isJsonObject(operand)) return [operand];
  return Object.entries(operand).flatMap(([operator, texts]) =>
    (Array.isArray(texts) ? (texts as readonly JsonValue[]) : [texts]).map((text) => ({ [operator]: text })),
  );
}

/** `[">", 1, "<=", 5]` */
function isInRange(value: number, [operator, bound, ...rest]: readonly JsonValue[]): boolean {
  const number = Number(bound);
  const isInBound =
    operator === '='
      ? value === number
      : operator === '<'
        ? value < number
        : operator === '<='
          ? value <= number
          : operator === '>'
            ? value > number
            : operator === '>=' && value >= number;
  return isInBound && (rest.length === 0 || isInRange(value, rest));
}

function isInBlock(text: string, cidr: string): boolean {
  const version = isIP(text);
  return version !== 0 && parseCidr(cidr)?.check(text, version === 4 ? 'ipv4' : 'ipv6') === true;
}

/** Finds the texts between the asterisks one after the other, the first possible place each: no backtracking. */
function matchesWildcard(text: string, wildcard: string): boolean {
  const parts = parseWildcard(wildcard);
  if (parts === undefined) return false;
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return from + last.length <= text.length;
}
