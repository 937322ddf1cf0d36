import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { matchesPattern } from './event-pattern.ts';

/**
 * Whether a record of SQS passes one of a source's filters; without filters everything does. A body that is JSON is
 * held against a pattern for JSON, one that is text against a pattern for text; what is of the other kind does not pass.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
 */
export function matchesFilters(record: JsonObject, filters: readonly JsonObject[]): boolean {
  if (filters.length === 0) return true;
  const { body } = record;
  const parsed = typeof body === 'string' ? parse(body) : body;
  return filters.some((filter) => {
    const isForJson = isJsonObject(filter.body);
    return matchesPattern(isForJson ? { ...record, body: parsed ?? null } : record, filter);
  });
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
