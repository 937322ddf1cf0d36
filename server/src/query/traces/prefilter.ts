import { type Sql, sql } from '../../store/sql.ts';

/**
 * A necessary condition in SQL: it holds for every trace that a filter matches, and may hold for others. `entity`: it
 * holds for some row of `entities`; `document`: for some row of `documents`; `group`: for all rows of the trace in
 * `entities` together.
 */
export type Prefilter =
  /**
   * `name`: the condition is that the row has this name, by which and by whose start the rows are sorted. `texts`: that
   * it has one of these texts in `attributes`, which have a text index.
   */
  | {
      readonly kind: 'entity' | 'document';
      readonly row: Sql;
      readonly name?: string;
      readonly texts?: readonly string[];
    }
  | { readonly kind: 'group'; readonly having: Sql }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Prefilter[] };

/** Each part is a subquery. More parts cost more than they save. */
const MAX_PARTS = 4;

/**
 * The first MAX_PARTS of the known parts: to leave out a part keeps the condition necessary. Undefined when no part is
 * known.
 */
export function allOf(parts: readonly (Prefilter | undefined)[]): Prefilter | undefined {
  const known = parts.filter((part) => part !== undefined).slice(0, MAX_PARTS);
  return known.length > 1 ? { kind: 'and', parts: known } : known[0];
}

/** Undefined when a part is unknown, or when more than MAX_PARTS parts stay after merging. */
export function anyOf(parts: readonly (Prefilter | undefined)[]): Prefilter | undefined {
  const known = parts.filter((part) => part !== undefined);
  if (known.length < parts.length) return undefined;
  const flat = known.flatMap((part) => (part.kind === 'or' ? part.parts : [part]));
  const merged = flat.length > MAX_PARTS ? mergeEntityPrefilters(flat) : flat;
  if (merged.length > MAX_PARTS) return undefined;
  return merged.length > 1 ? { kind: 'or', parts: merged } : merged[0];
}

/**
 * One part, thus one subquery, for all conditions on a row of `entities`. Of an `and`, only its first such condition
 * is used.
 */
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

/** One look-up for all texts: a condition for each takes the engine a third longer. */
export const hasAnyText = (texts: readonly string[]): Sql =>
  sql`hasAny(attributes, ${sql.typed(texts, 'Array(String)')})`;

export function textsPrefilter(texts: readonly string[]): Extract<Prefilter, { readonly row: Sql }> {
  return { kind: 'entity', row: hasAnyText(texts), texts };
}

/** Condition on `trace_id`. `rows` is a condition that bounds the rows of `entities` which are read. */
export function prefilterSql(prefilter: Prefilter, rows: Sql): Sql {
  switch (prefilter.kind) {
    case 'entity':
      return sql`trace_id IN (SELECT trace_id FROM entities WHERE ${rows} AND ${prefilter.row})`;
    case 'document':
      return sql`trace_id IN (SELECT trace_id FROM documents WHERE ${prefilter.row})`;
    case 'group':
      return sql`trace_id IN (
        SELECT trace_id FROM entities WHERE ${rows} GROUP BY trace_id HAVING ${prefilter.having}
      )`;
    case 'and':
      return sql.and(prefilter.parts.map((part) => prefilterSql(part, rows)));
    case 'or':
      return sql.or(prefilter.parts.map((part) => prefilterSql(part, rows)));
  }
}

/** A condition on single rows of one of the two tables, and conditions that a matching trace with such a row also meets. */
export type Seed = {
  readonly on: Extract<Prefilter, { readonly row: Sql }>;
  readonly also: readonly Prefilter[];
};

/** Every matching trace has a row for which one of the seeds holds. */
export function seedsOf(prefilter: Prefilter): readonly Seed[] | undefined {
  switch (prefilter.kind) {
    case 'entity':
    case 'document':
      return [{ on: prefilter, also: [] }];
    case 'group':
      return undefined;
    case 'and':
      for (const part of prefilter.parts) {
        const others = prefilter.parts.filter((other) => other !== part);
        const seeds = seedsOf(part)?.map(({ on, also }) => ({ on, also: [...also, ...others] }));
        if (seeds !== undefined) return seeds;
      }
      return undefined;
    case 'or': {
      const seeds = prefilter.parts.map(seedsOf);
      return seeds.every((known) => known !== undefined) ? seeds.flat() : undefined;
    }
  }
}

/** Drops the parts that no trace has: `empty` are seeds that hold for no row. */
export function withoutEmptySeeds(prefilter: Prefilter, empty: ReadonlySet<Prefilter>): Prefilter {
  return withoutEmpty(prefilter, empty) ?? prefilter;
}

function withoutEmpty(prefilter: Prefilter, empty: ReadonlySet<Prefilter>): Prefilter | undefined {
  if (prefilter.kind !== 'and' && prefilter.kind !== 'or') return empty.has(prefilter) ? undefined : prefilter;
  const parts = prefilter.parts.map((part) => withoutEmpty(part, empty));
  const left = parts.filter((part) => part !== undefined);
  if (prefilter.kind === 'and') return left.length < parts.length ? undefined : { kind: 'and', parts: left };
  return left.length > 1 ? { kind: 'or', parts: left } : left[0];
}
