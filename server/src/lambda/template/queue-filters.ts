import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';

/** `FilterCriteria` of an event source; each pattern is JSON as text. An invalid pattern matches no message. */
export function readFilters(criteria: JsonValue | undefined): readonly JsonObject[] {
  const list = isJsonObject(criteria) && Array.isArray(criteria.Filters) ? (criteria.Filters as JsonValue[]) : [];
  return list.map((filter) => {
    const pattern = isJsonObject(filter) ? filter.Pattern : undefined;
    const value = typeof pattern === 'string' ? parse(pattern) : pattern;
    return isJsonObject(value) ? value : { unreadable: [true] };
  });
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
