import type { FilterSubject } from '../../filter/subject.ts';
import { subjectOf } from '../../filter/subject.ts';
import { assembleTrace } from '../../model/assemble.ts';
import type { AnnotationValue, Document, Entity } from '../../model/entity.ts';
import type { TraceSummary } from '../../model/summary.ts';
import { fromThrough, type TimeInterval } from '../../model/time-interval.ts';
import type { Trace } from '../../model/trace.ts';
import type { EntityId, TraceId } from '../../model/trace-id.ts';
import { roundedKey } from '../../store/attributes.ts';
import { traceIdsSql } from '../../store/ids.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { inIntervalSql } from '../interval-sql.ts';
import type { FirstPart } from './trace-sizes.ts';

/** Entities on which filters are evaluated: the first of each kind, and of each service and outcome. */
const MAX_ENTITIES = 1_000;
const ENTITIES_OF_A_KIND = 20;
/** Distinct values of each kind, and of all annotations together. */
const MAX_VALUES = 100;
const MAX_ANNOTATIONS = 1_000;
/** Subjects that are kept until their trace changes. */
const MAX_KEPT = 100;

/** Of keys whose values are also there under the plain key. */
const ROUNDED_MARKER = roundedKey('');

type Kept = { readonly key: string; readonly subject: Promise<FilterSubject> };
const keptByStore = new WeakMap<Store['query'], Map<TraceId, Kept>>();

/**
 * What filters and lists need of a trace that exceeds the bounds, from its rows instead of its documents. Start, end,
 * response time, flags and counts are those of all rows; each list of values has the first MAX_VALUES. Services,
 * calls and root causes are those of MAX_ENTITIES rows. Kept until a document of the trace arrives or is deleted.
 */
export function subjectFromRows(
  store: Store,
  id: TraceId,
  { whole }: FirstPart,
  options: QueryOptions,
): Promise<FilterSubject> {
  const kept = keptByStore.get(store.query) ?? new Map<TraceId, Kept>();
  keptByStore.set(store.query, kept);
  const key = [whole.documents, whole.bytes, whole.lastSeq, store.statistics().prunedBeforeUs].join(' ');
  const known = kept.get(id);
  kept.delete(id);
  if (known?.key === key) {
    kept.set(id, known);
    return known.subject;
  }
  const { signal: _, ...withoutSignal } = options;
  const subject = readSubject(store, id, whole, withoutSignal);
  kept.set(id, { key, subject });
  subject.catch(() => kept.delete(id));
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_KEPT) break;
    kept.delete(oldest);
  }
  return subject;
}

async function readSubject(
  store: Store,
  id: TraceId,
  whole: FirstPart['whole'],
  options: QueryOptions,
): Promise<FilterSubject> {
  const { lastSeq } = whole;
  const [times] = await store.query<TimesRow>(timesSql(id), options);
  const bounds = times ?? { first_us: 0, last_start_us: 0, last_us: 0, unfinished: 0 };
  const starts = fromThrough(bounds.first_us, bounds.last_start_us);
  const [[totals], rows] = await Promise.all([
    store.query<TotalsRow>(totalsSql(id, starts), options),
    store.query<EntityRow>(entitiesSql(id, starts), options),
  ]);
  const trace = assembleTrace(rows.map((row) => documentOf(id, row)));
  if (trace === undefined || totals === undefined)
    throw new Error(`the store has documents but no rows of trace ${id}`);
  const { summary, graph } = subjectOf(trace);
  const isFinished = bounds.unfinished === 0;
  const fromRows: TraceSummary = {
    ...summary,
    limitExceeded: true,
    startUs: bounds.first_us,
    updatedUs: lastSeq,
    revision: whole.documents,
    durationUs: isFinished ? Math.max(0, bounds.last_us - bounds.first_us) : undefined,
    anyFault: totals.any_fault === 1,
    anyError: totals.any_error === 1,
    anyThrottle: totals.any_throttle === 1,
    isPartial: !isFinished,
    annotations: annotationsOf(totals),
    users: totals.users,
    resourceArns: totals.resource_arns,
    instanceIds: totals.instance_ids,
    availabilityZones: totals.availability_zones,
    segmentCount: totals.segments,
    subsegmentCount: totals.entities - totals.segments,
  };
  const entities = new Map([...trace.entities, ...valueEntities(trace, fromRows)]);
  return { trace: { ...trace, entities, startUs: bounds.first_us, updatedUs: lastSeq }, graph, summary: fromRows };
}

/** Entities that hold one value of each list of the summary, since filters find values on entities. */
function valueEntities({ entities }: Trace, summary: TraceSummary): readonly (readonly [EntityId, Entity])[] {
  const [like] = entities.values();
  if (like === undefined) return [];
  const { annotations, users, resourceArns, instanceIds, availabilityZones } = summary;
  const lists = [...Object.values(annotations), users, resourceArns, instanceIds, availabilityZones];
  const count = lists.reduce((longest, { length }) => Math.max(longest, length), 0);
  return Array.from({ length: count }, (_, at) => {
    const id = `value ${at}` as EntityId;
    const values = Object.entries(annotations).flatMap(([key, { [at]: value }]) =>
      value === undefined ? [] : [[key, value] as const],
    );
    const ec2 = {
      ...(instanceIds[at] !== undefined && { instance_id: instanceIds[at] }),
      ...(availabilityZones[at] !== undefined && { availability_zone: availabilityZones[at] }),
    };
    const entity: Entity = {
      ...like,
      id,
      user: users[at],
      resourceArn: resourceArns[at],
      annotations: Object.fromEntries(values),
      fields: { aws: { ec2 } },
    };
    return [id, entity];
  });
}

type TimesRow = {
  readonly first_us: number;
  readonly last_start_us: number;
  readonly last_us: number;
  readonly unfinished: number;
};

/** From the rows of the documents, by primary key and without their bodies. */
function timesSql(id: TraceId): Sql {
  return sql`
    SELECT min(first) AS first_us, max(greatest(first, last)) AS last_start_us, max(last) AS last_us,
      countIf(is_unfinished) AS unfinished
    FROM (
      SELECT min(start_us) AS first, max(end_us) AS last, min(in_progress) AS is_unfinished
      FROM documents WHERE trace_id IN ${traceIdsSql([id])} AND format != 'otlp-log' GROUP BY documents.id
    )`;
}

type TotalsRow = {
  readonly any_fault: number;
  readonly any_error: number;
  readonly any_throttle: number;
  readonly segments: number;
  readonly entities: number;
  readonly users: readonly string[];
  readonly resource_arns: readonly string[];
  readonly instance_ids: readonly string[];
  readonly availability_zones: readonly string[];
  readonly strings: readonly (readonly [string, string])[];
  readonly numbers: readonly (readonly [string, number])[];
  readonly booleans: readonly (readonly [string, boolean])[];
};

/** Rows of the trace, by the hours of their starts: the key of `entities` does not begin with the trace. */
const ofTrace = (id: TraceId, starts: TimeInterval): Sql =>
  sql.and([inIntervalSql(sql`start_us`, starts), sql`trace_id IN ${traceIdsSql([id])}`]);

function totalsSql(id: TraceId, starts: TimeInterval): Sql {
  return sql`
    SELECT max(toUInt8(fault)) AS any_fault, max(toUInt8(error)) AS any_error, max(toUInt8(throttle)) AS any_throttle,
      uniqExactIf(entities.id, is_segment) AS segments, uniqExact(entities.id) AS entities,
      ${valuesSql(sql`user`)} AS users, ${valuesSql(sql`resource_arn`)} AS resource_arns,
      ${valuesSql(sql`instance_id`)} AS instance_ids, ${valuesSql(sql`availability_zone`)} AS availability_zones,
      ${annotationsSql(sql`annotations_string`)} AS strings, ${annotationsSql(sql`annotations_number`)} AS numbers,
      ${annotationsSql(sql`annotations_bool`)} AS booleans
    FROM entities WHERE ${ofTrace(id, starts)}`;
}

const valuesSql = (column: Sql): Sql =>
  sql`groupUniqArrayIf(${sql.typed(MAX_VALUES, 'UInt64')})(${column}, ${column} != '')`;

const annotationsSql = (column: Sql): Sql =>
  sql`groupUniqArrayArray(${sql.typed(MAX_ANNOTATIONS, 'UInt64')})(arrayZip(mapKeys(${column}), mapValues(${column})))`;

type EntityRow = {
  readonly id: EntityId;
  readonly parent_id: EntityId;
  readonly seq: number;
  readonly is_segment: boolean;
  readonly start_us: number;
  readonly end_us: number;
  readonly name: string;
  readonly origin: string;
  readonly namespace: string;
  readonly fault: boolean;
  readonly error: boolean;
  readonly throttle: boolean;
  readonly http_status: number;
  readonly http_method: string;
  readonly http_url: string;
  readonly http_user_agent: string;
  readonly http_client_ip: string;
  readonly user: string;
  readonly resource_arn: string;
  readonly account_id: string;
};

/** Roots first. Of several rows of one id a segment, then a finished one, then the first that arrived. */
function entitiesSql(id: TraceId, starts: TimeInterval): Sql {
  const kind = sql`is_root, is_segment, name, origin, namespace, fault, error, throttle`;
  return sql`
    SELECT lower(hex(id)) AS id, lower(hex(parent)) AS parent_id, seq, is_segment, start_us, end_us, name, origin,
      namespace, fault, error, throttle, http_status, http_method, http_url, http_user_agent, http_client_ip, user,
      resource_arn, account_id
    FROM (
      SELECT *, if(parent_id = toFixedString('', 8), enclosing_id, parent_id) AS parent FROM entities
      WHERE ${ofTrace(id, starts)} AND (trace_id, id) IN (
        SELECT trace_id, id FROM (
          SELECT trace_id, id, start_us, ${kind} FROM entities WHERE ${ofTrace(id, starts)}
          ORDER BY start_us, id LIMIT ${sql.typed(ENTITIES_OF_A_KIND, 'UInt64')} BY ${kind}
        ) ORDER BY is_root DESC, start_us, id LIMIT ${sql.typed(MAX_ENTITIES, 'UInt64')}
      )
      ORDER BY is_segment DESC, in_progress, seq LIMIT 1 BY id
    )
    ORDER BY start_us, id`;
}

function documentOf(traceId: TraceId, row: EntityRow): Document {
  const entity = entityOf(traceId, row);
  return { format: 'xray', traceId, id: row.id, seq: row.seq, text: '', entities: [entity] };
}

function entityOf(traceId: TraceId, row: EntityRow): Entity {
  return {
    traceId,
    id: row.id,
    parentId: /[1-9a-f]/.test(row.parent_id) ? row.parent_id : undefined,
    kind: row.is_segment ? 'segment' : 'subsegment',
    name: row.name,
    startUs: row.start_us,
    endUs: row.end_us === 0 ? undefined : row.end_us,
    namespace: row.namespace || undefined,
    origin: row.origin || undefined,
    user: row.user || undefined,
    resourceArn: row.resource_arn || undefined,
    accountId: row.account_id || undefined,
    outcome: row.throttle ? 'throttle' : row.fault ? 'fault' : row.error ? 'error' : 'ok',
    isFault: row.fault,
    isError: row.error,
    isThrottle: row.throttle,
    http: httpOf(row),
    cause: undefined,
    annotations: {},
    metadata: undefined,
    links: [],
    fields: {},
  };
}

function httpOf(row: EntityRow): Entity['http'] {
  const http = {
    ...(row.http_method && { method: row.http_method }),
    ...(row.http_url && { url: row.http_url }),
    ...(row.http_user_agent && { userAgent: row.http_user_agent }),
    ...(row.http_client_ip && { clientIp: row.http_client_ip }),
    ...(row.http_status && { status: row.http_status }),
  };
  return Object.keys(http).length > 0 ? http : undefined;
}

function annotationsOf({ strings, numbers, booleans }: TotalsRow): TraceSummary['annotations'] {
  const values = new Map<string, AnnotationValue[]>();
  for (const [key, value] of [...strings, ...numbers, ...booleans]) {
    if (key.startsWith(ROUNDED_MARKER)) continue;
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  return Object.fromEntries(values);
}
