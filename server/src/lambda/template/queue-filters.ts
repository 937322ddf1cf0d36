import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { parsedObject } from './values.ts';

/** `FilterCriteria` of an event source; each pattern is JSON as text. An invalid pattern matches no message. */
export function readFilters(criteria: JsonValue | undefined): readonly JsonObject[] {
  const list = isJsonObject(criteria) && Array.isArray(criteria.Filters) ? (criteria.Filters as JsonValue[]) : [];
  return list.map((filter) => {
    const pattern = isJsonObject(filter) ? filter.Pattern : undefined;
    return parsedObject(pattern) ?? { unreadable: [true] };
  });
}
