import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { fitsPattern } from './event-pattern.ts';

/**
 * Whether a record of SQS matches one of a source's filters; without filters every record does. A pattern for JSON
 * matches only bodies that are JSON, a pattern for text only bodies that are text.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
 */
export function matchesFilters(record: JsonObject, filters: readonly JsonObject[]): boolean {
  if (filters.length === 0) return true;
  const { body } = record;
  const parsed = typeof body === 'string' ? parse(body) : body;
  return filters.some((filter) => {
    const isForJson = isJsonObject(filter.body);
    return fitsPattern(isForJson ? { ...record, body: parsed ?? null } : record, filter);
  });
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
