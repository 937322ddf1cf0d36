import { type Sql, sql } from '../../store/sql.ts';

/**
 * What is true of the rows of every trace that a filter matches, and may be true of others: SQL narrows, the pure
 * functions decide. `entity`: some row of `entities` fulfils `row`; `group`: all rows of the trace together fulfil
 * `having`; `document`: some row of `documents` fulfils `row`.
 */
export type Prefilter =
  | { readonly kind: 'entity' | 'document'; readonly row: Sql }
  | { readonly kind: 'group'; readonly having: Sql }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Prefilter[] };

/** More parts than this would cost more to look up than they spare. */
const MAX_PARTS = 4;

/** All of those that are known, the first ones where there are many; undefined when none is. */
export function allOf(parts: readonly (Prefilter | undefined)[]): Prefilter | undefined {
  const known = parts.filter((part) => part !== undefined).slice(0, MAX_PARTS);
  return known.length > 1 ? { kind: 'and', parts: known } : known[0];
}

/** One of them; undefined when one of them may be anything. */
export function anyOf(parts: readonly (Prefilter | undefined)[]): Prefilter | undefined {
  const known = parts.filter((part) => part !== undefined);
  if (known.length < parts.length) return undefined;
  const flat = known.flatMap((part) => (part.kind === 'or' ? part.parts : [part]));
  const merged = flat.length > MAX_PARTS ? mergeEntityPrefilters(flat) : flat;
  if (merged.length > MAX_PARTS) return undefined;
  return merged.length > 1 ? { kind: 'or', parts: merged } : merged[0];
}

/** One look-up for all that ask for a row of `entities`; of those that ask for several, for the first. */
function mergeEntityPrefilters(parts: readonly Prefilter[]): readonly Prefilter[] {
  const loosened = parts.map((part) =>
    part.kind === 'and' ? (part.parts.find(({ kind }) => kind === 'entity') ?? part) : part,
  );
  const rows = loosened.flatMap((part) => (part.kind === 'entity' ? [part.row] : []));
  const others = loosened.filter((part) => part.kind !== 'entity');
  return rows.length > 0 ? [{ kind: 'entity', row: sql.or(rows) }, ...others] : others;
}

export function entityPrefilter(row: Sql | undefined): Prefilter | undefined {
  return row && { kind: 'entity', row };
}

/** Condition on `trace_id`. `rows` bounds the rows of `entities` that are looked at. */
export function prefilterSql(narrow: Prefilter, rows: Sql): Sql {
  switch (narrow.kind) {
    case 'entity':
      return sql`trace_id IN (SELECT trace_id FROM entities WHERE ${rows} AND ${narrow.row})`;
    case 'document':
      return sql`trace_id IN (SELECT trace_id FROM documents WHERE ${narrow.row})`;
    case 'group':
      return sql`trace_id IN (SELECT trace_id FROM entities WHERE ${rows} GROUP BY trace_id HAVING ${narrow.having})`;
    case 'and':
      return sql.and(narrow.parts.map((part) => prefilterSql(part, rows)));
    case 'or':
      return sql.or(narrow.parts.map((part) => prefilterSql(part, rows)));
  }
}

/** Conditions on single rows: every trace that is meant has a row for which one of them holds. */
export function seedPredicatesOf(narrow: Prefilter): readonly Sql[] | undefined {
  switch (narrow.kind) {
    case 'entity':
      return [narrow.row];
    case 'group':
    case 'document':
      return undefined;
    case 'and':
      return narrow.parts.map(seedPredicatesOf).find((drivers) => drivers !== undefined);
    case 'or': {
      const drivers = narrow.parts.map(seedPredicatesOf);
      return drivers.every((known) => known !== undefined) ? drivers.flat() : undefined;
    }
  }
}

/** The same where it is known that no row fulfils any of `empty`. */
export function withoutEmptySeeds(narrow: Prefilter, empty: ReadonlySet<Sql>): Prefilter {
  if (narrow.kind !== 'or') return narrow;
  const parts = narrow.parts.filter((part) => part.kind !== 'entity' || !empty.has(part.row));
  return parts.length > 0 ? { kind: 'or', parts } : narrow;
}
