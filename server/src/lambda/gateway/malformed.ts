import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { GatewayApi } from '../spec/routes.ts';

/** REST APIs refuse every other member. */
const REST_MEMBERS: readonly string[] = ['statusCode', 'headers', 'multiValueHeaders', 'body', 'isBase64Encoded'];
const HTTP_TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Tab, and all characters but control characters. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Why the gateway refuses the result of a handler; undefined when it accepts the result. All gateways need a status and
 * headers that HTTP can carry; REST APIs also check each member. Null counts as a member that is not there.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html
 */
export function malformedReason({ kind }: Pick<GatewayApi, 'kind'>, result: JsonValue | undefined): string | undefined {
  if (!isJsonObject(result)) return `it is ${describe(result)}, not an object`;
  return statusReason(result) ?? (kind === 'rest' ? memberReason(result) : undefined) ?? headerReason(result);
}

function statusReason({ statusCode }: JsonObject): string | undefined {
  if (statusCode === undefined) return 'statusCode is missing';
  const isNumeral = typeof statusCode === 'number' || (typeof statusCode === 'string' && /^\d+$/.test(statusCode));
  const status = isNumeral ? Number(statusCode) : Number.NaN;
  if (Number.isInteger(status) && status >= 100 && status <= 599) return undefined;
  return `statusCode is ${describe(statusCode)}, not a whole number from 100 to 599`;
}

function memberReason(result: JsonObject): string | undefined {
  const unknown = Object.keys(result).filter((name) => !REST_MEMBERS.includes(name));
  if (unknown.length > 0) {
    const shown = unknown.slice(0, 5).map((name) => name.slice(0, 40));
    return `it has members that a REST API does not know (${shown.join(', ')}); it knows ${REST_MEMBERS.join(', ')}`;
  }
  const { body, isBase64Encoded, headers, multiValueHeaders } = result;
  if (isPresent(body) && typeof body !== 'string') return `body is ${describe(body)}, not a string: use JSON.stringify`;
  if (isPresent(isBase64Encoded) && typeof isBase64Encoded !== 'boolean') {
    return `isBase64Encoded is ${describe(isBase64Encoded)}, not a boolean`;
  }
  if (isPresent(headers)) {
    if (!isJsonObject(headers)) return `headers is ${describe(headers)}, not an object`;
    const wrong = Object.entries(headers).find(([, value]) => !isScalar(value));
    if (wrong !== undefined) return `the header ${nameOf(wrong)} is ${describe(wrong[1])}, ${SCALAR}`;
  }
  if (isPresent(multiValueHeaders)) {
    if (!isJsonObject(multiValueHeaders)) return `multiValueHeaders is ${describe(multiValueHeaders)}, not an object`;
    for (const entry of Object.entries(multiValueHeaders)) {
      const [, values] = entry;
      if (!Array.isArray(values)) return `multiValueHeaders.${nameOf(entry)} is ${describe(values)}, not a list`;
      const wrong = (values as readonly JsonValue[]).find((value) => !isScalar(value));
      if (wrong !== undefined) return `multiValueHeaders.${nameOf(entry)} holds ${describe(wrong)}, ${SCALAR}`;
    }
  }
  return undefined;
}

/** Node throws on a header that HTTP cannot carry. */
function headerReason({ headers, multiValueHeaders, cookies }: JsonObject): string | undefined {
  const entries = [headers, multiValueHeaders].flatMap((map) => (isJsonObject(map) ? Object.entries(map) : []));
  for (const entry of entries) {
    if (!HTTP_TOKEN.test(entry[0])) return `${JSON.stringify(entry[0].slice(0, 40))} is not a name of a header`;
    if (![entry[1]].flat().every(isHeaderText))
      return `the header ${nameOf(entry)} has a character that HTTP cannot carry`;
  }
  const hasValidCookies = !Array.isArray(cookies) || (cookies as readonly JsonValue[]).every(isHeaderText);
  return hasValidCookies ? undefined : 'a cookie has a character that HTTP cannot carry';
}

const SCALAR = 'not a string, number or boolean';

function isHeaderText(value: JsonValue): boolean {
  return HEADER_VALUE.test(String(value));
}

function isScalar(value: JsonValue): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function isPresent(value: JsonValue | undefined): value is JsonValue {
  return value !== undefined && value !== null;
}

function nameOf([name]: readonly [string, JsonValue]): string {
  return name.slice(0, 40);
}

function describe(value: JsonValue | undefined): string {
  if (value === undefined) return 'not JSON';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return `the ${typeof value} ${JSON.stringify(value).slice(0, 40)}`;
}
