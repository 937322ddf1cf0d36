import type { Outcome } from 'openray/model';

/** What names a service in a filter expression. */
export type ServiceName = { readonly name: string; readonly type: string | null };

/** Response times from `fromUs` to `toUs`, both included. */
export type Band = { readonly fromUs: number; readonly toUs: number };

/** A string of the filter language, quoted. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

/** `id(name: "…", type: "…")`, or the bare name where the type is not known. */
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
export function bandCondition({ fromUs, toUs }: Band): string {
  return `responsetime >= ${secondsText(fromUs)} AND responsetime <= ${secondsText(toUs)}`;
}

/** Any of the outcomes; all of them, or none, is no condition. */
export function outcomeCondition(outcomes: readonly Outcome[]): string {
  if (outcomes.length === 0 || outcomes.length === 4) return '';
  return outcomes.length === 1 ? (outcomes[0] ?? '') : `(${outcomes.join(' OR ')})`;
}

/** A selector with conditions on what it selects: `service("a") { fault AND responsetime > 1 }`. */
export function withConditions(selector: string, conditions: readonly string[]): string {
  const inner = conditions.filter((condition) => condition !== '').join(' AND ');
  return inner === '' ? selector : `${selector} { ${inner} }`;
}

/** `annotation.key = value`; a key that is no plain word goes into brackets, an odd one into quotes too. */
export function annotationCondition(key: string, value: string | number | boolean): string {
  const bracketed = /^[\w.:-]+$/.test(key) ? key : quote(key);
  const name = /^[A-Za-z_]\w*$/.test(key) ? `annotation.${key}` : `annotation[${bracketed}]`;
  return `${name} = ${typeof value === 'string' ? quote(value) : String(value)}`;
}

/** Both filters. One with an `OR` is put in parentheses; what is already there is not added again. */
export function bothFilters(filter: string, condition: string): string {
  const first = filter.trim();
  const second = condition.trim();
  if (first === '' || first === second) return second;
  if (second === '' || first.split(' AND ').includes(second)) return first;
  return `${parenthesised(first)} AND ${parenthesised(second)}`;
}

function parenthesised(filter: string): string {
  // Quoted text may hold the word; then the parentheses do no harm.
  return /\bOR\b/i.test(filter) ? `(${filter})` : filter;
}

/** Seconds as the filter language reads them, to the microsecond, never with an exponent. */
function secondsText(us: number): string {
  return (us / 1_000_000).toFixed(6).replace(/\.?0+$/, '');
}
