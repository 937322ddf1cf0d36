import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';

/**
 * Whether an event matches a pattern of EventBridge, or the attributes of a message a filter policy of SNS. Each member
 * of the pattern is a list of conditions, of which one must match, or a pattern for the nested object.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export function matchesPattern(event: JsonObject, pattern: JsonObject): boolean {
  return Object.entries(pattern).every(([key, wanted]) => {
    if (key === '$or' && Array.isArray(wanted)) {
      return (wanted as readonly JsonValue[]).some((part) => isJsonObject(part) && matchesPattern(event, part));
    }
    const value = event[key];
    if (isJsonObject(wanted)) return matchesPattern(isJsonObject(value) ? value : {}, wanted);
    const conditions = Array.isArray(wanted) ? (wanted as readonly JsonValue[]) : [wanted];
    const values = Array.isArray(value) ? (value as readonly JsonValue[]) : [value];
    return conditions.some((condition) => values.some((item) => matchesCondition(item, condition)));
  });
}

function matchesCondition(value: JsonValue | undefined, condition: JsonValue): boolean {
  if (!isJsonObject(condition)) return value === condition;
  return Object.entries(condition).every(([operator, operand]) => matchesOperator(value, operator, operand));
}

function matchesOperator(value: JsonValue | undefined, operator: string, operand: JsonValue): boolean {
  const text = typeof value === 'string' ? value : undefined;
  switch (operator) {
    case 'exists':
      return (value !== undefined) === operand;
    case 'prefix':
      return text?.startsWith(String(operand)) === true;
    case 'suffix':
      return text?.endsWith(String(operand)) === true;
    case 'equals-ignore-case':
      return text?.toLowerCase() === String(operand).toLowerCase();
    case 'wildcard':
      return text !== undefined && wildcard(String(operand)).test(text);
    case 'anything-but': {
      if (value === undefined) return false;
      const excluded = Array.isArray(operand) ? (operand as readonly JsonValue[]) : [operand];
      return !excluded.some((condition) => matchesCondition(value, condition));
    }
    case 'numeric':
      return typeof value === 'number' && Array.isArray(operand) && isInRange(value, operand as readonly JsonValue[]);
    default:
      return false;
  }
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

function wildcard(text: string): RegExp {
  const escaped = text.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`, 's');
}
