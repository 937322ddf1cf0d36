import { spanKindOf } from '../../model/jaeger.ts';
import { labelsPrefix, serviceLabel } from '../../model/otlp/wire/stored-span.ts';
import { KIND } from '../../model/otlp-messages.ts';
import type { TimeInterval } from '../../model/time-interval.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { inIntervalSql } from '../interval-sql.ts';

export type JaegerOperation = { readonly name: string; readonly spanKind: string };

type ServiceInWindow = { readonly service: string; readonly window: TimeInterval };

/**
 * Names and kinds of the spans of a service that started in the window, sorted. A span names its service itself; an
 * X-Ray entity belongs to the service of its segment.
 */
export async function jaegerOperations(
  store: Store,
  query: ServiceInWindow,
  options: QueryOptions,
): Promise<readonly JaegerOperation[]> {
  const found = await Promise.all(
    [
      packedSpanOperationsSql(query),
      spanOperationsSql(query),
      jsonSpanOperationsSql(query),
      entityOperationsSql(query),
    ].map((statement) => store.query<{ name: string; kind: number }>(statement, options)),
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
const SPAN = `Tuple(name String, kind Int32, ${ATTRIBUTES})`;
const MESSAGE = `Tuple(resource Tuple(${ATTRIBUTES}), scopeSpans Array(Tuple(spans Array(${SPAN}))))`;

function packedSpanOperationsSql({ service, window }: ServiceInWindow): Sql {
  return sql`
    SELECT DISTINCT name, kind FROM documents
    WHERE format = 'otlp-packed' AND ${inIntervalSql(sql`start_us`, window)}
      AND startsWith(shared, unhex(${Buffer.from(serviceLabel(service)).toString('hex')}))`;
}

/**
 * The same for spans that are not packed: compares the first bytes of each body, and reads the kind and the name behind
 * them.
 */
function spanOperationsSql({ service, window }: ServiceInWindow): Sql {
  const prefix = labelsPrefix(service);
  const behind = (at: number) => sql`reinterpretAsUInt8(substring(body, ${prefix.length + at}, 1))`;
  return sql`
    SELECT DISTINCT ${behind(1)} AS kind, ${behind(3)} AS length,
      if(length < 128, substring(body, ${prefix.length + 4}, length),
        substring(body, ${prefix.length + 5}, length - 128 + 128 * ${behind(4)})) AS name
    FROM documents
    WHERE format = 'otlp-protobuf' AND ${inIntervalSql(sql`start_us`, window)}
      AND startsWith(body, unhex(${Buffer.from(prefix).toString('hex')}))`;
}

/**
 * The same for spans that older servers stored. Parses only documents that contain the name. The precedence of names is
 * that of segments: `model/otlp/to-xray/name.ts`.
 */
function jsonSpanOperationsSql({ service, window }: ServiceInWindow): Sql {
  return sql`
    SELECT DISTINCT span.name AS name, span.kind AS kind FROM (
      SELECT sent.scopeSpans[1].spans[1] AS span,
        arrayFirst(one -> one.key = 'service.name', sent.resource.attributes).value.stringValue AS named,
        if(startsWith(named, 'unknown_service'), '', named) AS known,
        arrayFirst(one -> one.key = 'aws.local.service', span.attributes).value.stringValue AS local,
        arrayFirst(one -> one.key = 'faas.name', span.attributes).value.stringValue AS function
      FROM (
        SELECT JSONExtract(body, ${MESSAGE}) AS sent FROM documents
        WHERE format = 'otlp' AND ${inIntervalSql(sql`start_us`, window)}
          AND position(body, ${JSON.stringify(service)}) > 0
      )
    )
    WHERE multiIf(local != '', local, known != '', known, function != '', function, span.name) = ${service}`;
}

/** Entities in segments of the service, and subsegments that were sent alone, directly below such an entity. */
function entityOperationsSql({ service, window }: ServiceInWindow): Sql {
  const inWindow = inIntervalSql(sql`start_us`, window);
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
    SELECT DISTINCT name,
      multiIf(is_segment, ${KIND.server}, namespace IN ('aws', 'remote'), ${KIND.client}, ${KIND.internal}) AS kind
    FROM entities WHERE ${inWindow} AND (${inside} OR (${below}))`;
}
