import type { EntityId, TraceId } from '../../model/trace-id.ts';
import { LINK_PREFIX, linkText } from '../../store/attributes.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';

/** An entity that names an entity of another trace: the consumer of a message and its producer. */
export type TraceLink = {
  readonly fromTraceId: TraceId;
  readonly fromId: EntityId;
  readonly toTraceId: TraceId;
  readonly toId: EntityId;
};

type Row = { readonly trace_id: TraceId; readonly id: EntityId; readonly links: readonly string[] };

/** One look-up in the text index a trace. The cost does not grow with the number of stored traces. */
export function linksToSql(ids: readonly TraceId[]): Sql {
  return sql`
    SELECT DISTINCT lower(hex(trace_id)) AS trace_id, lower(hex(id)) AS id,
      arrayFilter(attribute -> startsWith(attribute, ${LINK_PREFIX}), attributes) AS links
    FROM entities
    WHERE ${sql.or(ids.map((id) => sql`has(attributes, ${linkText(id)})`))}
    ORDER BY trace_id, id`;
}

/** Links from other traces to these. */
export async function linksTo(
  store: Store,
  ids: readonly TraceId[],
  options: QueryOptions = {},
): Promise<readonly TraceLink[]> {
  if (ids.length === 0) return [];
  const wanted = new Set<string>(ids);
  const rows = await store.query<Row>(linksToSql(ids), options);
  return rows.flatMap(({ trace_id: fromTraceId, id: fromId, links }) =>
    links.flatMap((link) => {
      const [toTraceId = '', toId = ''] = link.slice(LINK_PREFIX.length).split(' ');
      if (!wanted.has(toTraceId) || toId === '' || toTraceId === fromTraceId) return [];
      return [{ fromTraceId, fromId, toTraceId: toTraceId as TraceId, toId: toId as EntityId }];
    }),
  );
}
