import type { AnyNumber, Outcome } from 'openray/model';

/** Name and type by which a filter expression finds a service. */
export type ServiceName = { readonly name: string; readonly type: string | null };

/** Response times from `fromUs` to `toUs`, both included. */
export type DurationBand = { readonly minUs: number; readonly maxUs: number };

/** A string of the filter language, quoted. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

/** `id(name: "…", type: "…")`, or the quoted name where the type is unknown. */
function identity({ name, type }: ServiceName): string {
  return type ? `id(name: ${quote(name)}, type: ${quote(type)})` : quote(name);
}

export function serviceSelector(service: ServiceName): string {
  return `service(${identity(service)})`;
}

export function edgeSelector(from: ServiceName, to: ServiceName): string {
  return `edge(${identity(from)}, ${identity(to)})`;
}

/** `responsetime >= 0.25 AND responsetime <= 0.5`. */
export function bandCondition({ minUs, maxUs }: DurationBand): string {
  return `responsetime >= ${secondsText(minUs)} AND responsetime <= ${secondsText(maxUs)}`;
}

/** Matches any of the outcomes; no condition (empty text) for all outcomes and for none. */
export function outcomeCondition(outcomes: readonly Outcome[]): string {
  if (outcomes.length === 0 || outcomes.length === 4) return '';
  return outcomes.length === 1 ? (outcomes[0] ?? '') : `(${outcomes.join(' OR ')})`;
}

/** A selector with conditions on the entities that it selects: `service("a") { fault AND responsetime > 1 }`. */
export function withConditions(selector: string, conditions: readonly string[]): string {
  const inner = conditions.filter((condition) => condition !== '').join(' AND ');
  return inner === '' ? selector : `${selector} { ${inner} }`;
}

/**
 * `annotation.key = value`. A key that is not a word goes into brackets, and into quotes if it has characters that are
 * not letters, digits or `_.:-`.
 */
export function annotationCondition(key: string, value: string | AnyNumber | boolean): string {
  const bracketed = /^[\w.:-]+$/.test(key) ? key : quote(key);
  const name = /^[A-Za-z_]\w*$/.test(key) ? `annotation.${key}` : `annotation[${bracketed}]`;
  return `${name} = ${typeof value === 'string' ? quote(value) : String(value)}`;
}

/** Both filters joined by `AND`, each in parentheses if it has an `OR`. A condition that is in `filter` is not added. */
export function bothFilters(filter: string, condition: string): string {
  const first = filter.trim();
  const second = condition.trim();
  if (first === '' || first === second) return second;
  if (second === '' || first.split(' AND ').includes(second)) return first;
  return `${parenthesised(first)} AND ${parenthesised(second)}`;
}

function parenthesised(filter: string): string {
  // Quoted text may contain the word; the needless parentheses change nothing.
  return /\bOR\b/i.test(filter) ? `(${filter})` : filter;
}

/** Seconds as the filter language reads them, to the microsecond, never with an exponent. */
function secondsText(us: number): string {
  return (us / 1_000_000).toFixed(6).replace(/\.?0+$/, '');
}
