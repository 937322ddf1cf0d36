import { spanKindOf } from '../../model/jaeger.ts';
import { KIND } from '../../model/otlp-messages.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import type { TimeWindow } from '../time-interval.ts';

export type JaegerOperation = { readonly name: string; readonly spanKind: string };

type ServiceInWindow = { readonly service: string; readonly window: TimeWindow };

/**
 * What the spans of a service are called, by name and kind: all that started in the window. A span is of the service that
 * it names itself, an entity of X-Ray of the segment that it is in.
 */
export async function jaegerOperations(
  store: Store,
  asked: ServiceInWindow,
  options: QueryOptions,
): Promise<readonly JaegerOperation[]> {
  const found = await Promise.all(
    [spanOperationsSql(asked), entityOperationsSql(asked)].map((statement) =>
      store.query<{ name: string; kind: number }>(statement, options),
    ),
  );
  const operations = new Map<string, JaegerOperation>();
  for (const { name, kind } of found.flat()) {
    const operation = { name, spanKind: spanKindOf({ kind }) };
    operations.set(JSON.stringify(operation), operation);
  }
  return Array.from(operations)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, operation]) => operation);
}

const ATTRIBUTES = 'attributes Array(Tuple(key String, value Tuple(stringValue String)))';
const MESSAGE = `Tuple(resource Tuple(${ATTRIBUTES}), scopeSpans Array(Tuple(spans Array(Tuple(name String, kind Int32, ${ATTRIBUTES})))))`;

/** Only documents that hold the name are read as JSON. The order of names is that of segments, see `model/otlp/to-xray/name.ts`. */
function spanOperationsSql({ service, window: { fromUs, toUs } }: ServiceInWindow): Sql {
  return sql`
    SELECT DISTINCT span.name AS name, span.kind AS kind FROM (
      SELECT sent.scopeSpans[1].spans[1] AS span,
        arrayFirst(one -> one.key = 'service.name', sent.resource.attributes).value.stringValue AS named,
        if(startsWith(named, 'unknown_service'), '', named) AS known,
        arrayFirst(one -> one.key = 'aws.local.service', span.attributes).value.stringValue AS local,
        arrayFirst(one -> one.key = 'faas.name', span.attributes).value.stringValue AS function
      FROM (
        SELECT JSONExtract(body, ${MESSAGE}) AS sent FROM documents
        WHERE format = 'otlp' AND start_us >= ${fromUs} AND start_us < ${toUs}
          AND position(body, ${JSON.stringify(service)}) > 0
      )
    )
    WHERE multiIf(local != '', local, known != '', known, function != '', function, span.name) = ${service}`;
}

/** What is in segments of the service, or came by itself directly below what is. */
function entityOperationsSql({ service, window: { fromUs, toUs } }: ServiceInWindow): Sql {
  const inWindow = sql`start_us >= ${fromUs} AND start_us < ${toUs}`;
  const sent = sql`SELECT trace_id, id FROM documents WHERE format = 'xray'`;
  const segments = sql`
    SELECT trace_id, id FROM entities
    WHERE is_segment AND name = ${service} AND ${inWindow} AND (trace_id, id) IN (${sent} AND ${inWindow})`;
  const inside = sql`(trace_id, document_id) IN (${segments})`;
  const below = sql`NOT is_segment AND (trace_id, document_id) IN (
    SELECT trace_id, id FROM entities WHERE NOT is_segment AND (trace_id, parent_id) IN (
      SELECT trace_id, id FROM entities WHERE ${inWindow} AND ${inside}
    ) AND (trace_id, id) IN (${sent} AND ${inWindow})
  )`;
  return sql`
    SELECT DISTINCT name, multiIf(is_segment, ${KIND.server}, namespace IN ('aws', 'remote'), ${KIND.client}, ${KIND.internal}) AS kind
    FROM entities WHERE ${inWindow} AND (${inside} OR (${below}))`;
}
