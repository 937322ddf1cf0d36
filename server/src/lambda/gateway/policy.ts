import { isJsonObject, type JsonObject, type JsonValue, listOf, objectOf, textOf } from '../../model/json.ts';

/** Of one call. An explicit denial wins; without a statement that allows the call it is `not-allowed`. */
export type PolicyVerdict = 'allowed' | 'denied' | 'not-allowed';

/**
 * An authorizer's policy document, for one ARN of `execute-api:Invoke`. Conditions are ignored.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
 */
export function evaluatePolicy(document: JsonObject, arn: string): PolicyVerdict {
  const statement = document.Statement;
  const statements = (Array.isArray(statement) ? (statement as readonly JsonValue[]) : [statement])
    .filter(isJsonObject)
    .filter(({ Action: action, Resource: resource }) => {
      const isInvoke = texts(action).some((pattern) => matchesWildcards(pattern.toLowerCase(), 'execute-api:invoke'));
      return isInvoke && texts(resource).some((pattern) => matchesWildcards(pattern, arn));
    });
  const effects = statements.map(({ Effect: effect }) => String(effect).toLowerCase());
  if (effects.includes('deny')) return 'denied';
  return effects.includes('allow') ? 'allowed' : 'not-allowed';
}

/** The `context` of an authorizer's result, with a policy or simple: the function gets these values. */
export function returnedContext(output: JsonObject): JsonObject {
  return objectOf(output.context);
}

/** `*` stands for any text, `?` for one character. */
function matchesWildcards(pattern: string, text: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`, 's').test(text);
}

function texts(value: JsonValue | undefined): readonly string[] {
  const single = textOf(value);
  return single === undefined ? listOf(value).map(String) : [single];
}
