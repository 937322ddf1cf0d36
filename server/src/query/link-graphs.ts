import type { Filter } from '../filter/ast.ts';
import { matches } from '../filter/matches.ts';
import { subjectOf } from '../filter/subject.ts';
import type { Entity } from '../model/entity.ts';
import type { TraceGraph } from '../model/graph.ts';
import type { Trace } from '../model/trace.ts';
import type { TraceId } from '../model/trace-id.ts';
import { linkedTraceIds, linkGraph } from '../model/trace-links.ts';
import { HAS_LINKS } from '../store/attributes.ts';
import { type Sql, sql } from '../store/sql.ts';
import type { QueryOptions, Store } from '../store/store.ts';
import { endedIn } from './list-order.ts';
import { loadTraces } from './load-traces.ts';
import type { TimeWindow } from './window.ts';

const BATCH = 100;

/**
 * What messages joined to other traces, of those that match and of which a segment ended in the window. A link joins two
 * traces, so it is in no sum of single ones; the index of attributes finds the few that have any.
 */
export async function* linkGraphsIn(
  store: Store,
  window: TimeWindow,
  filter: Filter | undefined,
  options: QueryOptions = {},
): AsyncGenerator<readonly TraceGraph[]> {
  const rows = await store.query<{ trace_id: TraceId }>(consumersSql(window), options);
  for (let first = 0; first < rows.length; first += BATCH) {
    const ids = rows.slice(first, first + BATCH).map((row) => row.trace_id);
    const traces = await loadTraces(store, ids, options);
    const matching = traces.filter((trace) => filter === undefined || matches(filter, subjectOf(trace)));
    yield await linkGraphs(store, matching, (segment) => endedIn(window, segment), options);
  }
}

function consumersSql({ fromUs, toUs }: TimeWindow): Sql {
  return sql`
    SELECT DISTINCT lower(hex(trace_id)) AS trace_id
    FROM entities
    WHERE is_segment AND end_us >= ${fromUs} AND end_us < ${toUs}
      AND trace_id IN (SELECT trace_id FROM entities WHERE has(attributes, ${HAS_LINKS}))`;
}

/** What messages joined these traces to others, for each that has taken some; only consumers whose segment `counts`. */
export async function linkGraphs(
  store: Store,
  traces: readonly Trace[],
  counts: (segment: Entity) => boolean,
  options: QueryOptions = {},
): Promise<readonly TraceGraph[]> {
  const known = new Map(traces.map((trace) => [trace.id, trace]));
  const wanted = [...new Set(traces.flatMap(linkedTraceIds))].filter((id) => !known.has(id));
  for (let first = 0; first < wanted.length; first += BATCH) {
    const producers = await loadTraces(store, wanted.slice(first, first + BATCH), options);
    for (const trace of producers) known.set(trace.id, trace);
  }
  return traces.map((trace) => linkGraph(trace, (id) => known.get(id), counts)).filter(({ edges }) => edges.length > 0);
}
