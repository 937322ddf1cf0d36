import { type JsonObject, listOf, objectOf } from '../../model/json.ts';
import { patternProblems } from '../spec/pattern-problems.ts';
import { parsedObject } from './values.ts';

/** An event of a function or a resource, with resolved properties. */
type Source = { readonly id: string; readonly functionId?: string; readonly properties: JsonObject };

/** Warns of patterns, filter policies and filters that AWS refuses; here such a part matches nothing. */
export function warnOfPatterns(sources: readonly Source[], warn: (sentence: string) => void): void {
  for (const { id, functionId, properties } of sources) {
    const where = functionId === undefined ? id : `${functionId}.${id}`;
    const { Pattern, EventPattern, FilterPolicy, FilterCriteria, Subscription } = properties;
    const policies = [FilterPolicy, ...listOf(Subscription).map((entry) => objectOf(entry).FilterPolicy)];
    const filters = listOf(objectOf(FilterCriteria).Filters).map((filter) => objectOf(filter).Pattern);
    for (const value of [Pattern, EventPattern, ...policies, ...filters]) {
      if (value === undefined) continue;
      const pattern = parsedObject(value);
      if (pattern === undefined) warn(`${where}: a pattern is not a JSON object; it matches nothing.`);
      else for (const problem of patternProblems(pattern)) warn(`${where}: in its pattern ${problem}.`);
    }
  }
}
