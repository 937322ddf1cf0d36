import type { FilterSubject } from '../../filter/subject.ts';
import type { AnnotationValue, Entity, Http, Outcome } from '../../model/entity.ts';
import { parseJson } from '../../model/exact-json.ts';
import type { GraphNode, ServiceId, TraceGraph } from '../../model/graph.ts';
import type { RootCauses } from '../../model/root-cause.ts';
import type { TraceSummary } from '../../model/summary.ts';
import type { EntityId, TraceId } from '../../model/trace-id.ts';
import { sql } from '../../store/sql.ts';

/** A row of `trace_summaries` as it is read. */
export type StoredSummary = {
  readonly trace_id: TraceId;
  readonly start_us: number;
  readonly updated_us: number;
  readonly revision: number;
  readonly segments: number;
  readonly subsegments: number;
  readonly root_start_us: number;
  readonly has_duration: boolean;
  readonly duration_us: number;
  readonly has_response: boolean;
  readonly response_us: number;
  readonly has_root: boolean;
  readonly fault: boolean;
  readonly error: boolean;
  readonly throttle: boolean;
  readonly any_fault: boolean;
  readonly any_error: boolean;
  readonly any_throttle: boolean;
  readonly worst_outcome: Outcome;
  readonly is_partial: boolean;
  readonly http_method: string;
  readonly http_url: string;
  readonly http_user_agent: string;
  readonly http_client_ip: string;
  readonly http_status: number;
  readonly entry_name: string;
  readonly entry_type: string;
  readonly entry_account: string;
  readonly service_names: readonly string[];
  readonly service_types: readonly string[];
  readonly service_accounts: readonly string[];
  readonly service_kinds: readonly number[];
  readonly service_outcomes: readonly number[];
  readonly edge_from: readonly number[];
  readonly edge_to: readonly number[];
  readonly edge_outcomes: readonly number[];
  readonly users: readonly string[];
  readonly resource_arns: readonly string[];
  readonly instance_ids: readonly string[];
  readonly availability_zones: readonly string[];
  readonly account_ids: readonly string[];
  readonly annotations_string: Readonly<Record<string, readonly string[]>>;
  readonly annotations_number: Readonly<Record<string, readonly number[]>>;
  readonly annotations_bool: Readonly<Record<string, readonly boolean[]>>;
  readonly root_causes: string;
  readonly exact: string;
};

/** Columns of a StoredSummary, of a row of `trace_summaries`. */
export const STORED_SUMMARY = sql`
  lower(hex(trace_summaries.trace_id)) AS trace_id, start_us, updated_us, revision, segments, subsegments, root_start_us, has_duration,
  duration_us, has_response, response_us, has_root, fault, error, throttle, any_fault, any_error, any_throttle,
  worst_outcome, is_partial, http_method, http_url, http_user_agent, http_client_ip, http_status, entry_name, entry_type,
  entry_account, service_names, service_types, service_accounts, service_kinds, service_outcomes, edge_from, edge_to,
  edge_outcomes, users, resource_arns, instance_ids, availability_zones, account_ids, annotations_string,
  annotations_number, annotations_bool, root_causes, exact`;

/** Members of a summary that are in columns, or in `exact` where columns cannot hold them exactly. */
type Values = Pick<
  TraceSummary,
  'http' | 'annotations' | 'users' | 'services' | 'resourceArns' | 'instanceIds' | 'availabilityZones' | 'entryPoint'
> & { readonly accountIds: readonly string[] };

/**
 * The summary, and a trace on which filters that `isDecidedByRow` accepts have the same result as on the trace itself:
 * it has the values of all entities, and for each service and call an entity of each outcome. Entities and graph are
 * made when a filter asks for them: they take three times as long as the summary.
 */
export function subjectFromStored(row: StoredSummary): FilterSubject {
  const values: Values = row.exact === '' ? valuesOf(row) : (parseJson(row.exact) as unknown as Values);
  const summary = summaryOf(row, values);
  const likeRow = (): Entity => ({ ...NO_ENTITY, traceId: row.trace_id, startUs: row.start_us });
  const root = row.has_root ? rootOf(likeRow(), row, values.http) : undefined;
  return {
    summary,
    trace: {
      id: row.trace_id,
      get entities() {
        return new Map(valueEntities(likeRow(), summary, values.accountIds).map((entity) => [entity.id, entity]));
      },
      segments: root === undefined ? [] : [root],
      childrenOf: new Map(),
      segmentOf: new Map(),
      root,
      orphans: [],
      isPartial: row.is_partial,
      revision: row.revision,
      startUs: row.start_us,
      updatedUs: row.updated_us,
    },
    get graph() {
      return graphOf(likeRow(), row, summary.services);
    },
  };
}

function summaryOf(row: StoredSummary, values: Values): TraceSummary {
  return {
    id: row.trace_id,
    startUs: row.start_us,
    durationUs: row.has_duration ? row.duration_us : undefined,
    responseTimeUs: row.has_response ? row.response_us : undefined,
    hasFault: row.fault,
    hasError: row.error,
    hasThrottle: row.throttle,
    anyFault: row.any_fault,
    anyError: row.any_error,
    anyThrottle: row.any_throttle,
    worstOutcome: row.worst_outcome,
    isPartial: row.is_partial,
    http: values.http,
    annotations: values.annotations,
    users: values.users,
    services: values.services,
    resourceArns: values.resourceArns,
    instanceIds: values.instanceIds,
    availabilityZones: values.availabilityZones,
    entryPoint: values.entryPoint,
    rootCauses: row.root_causes === '' ? NO_ROOT_CAUSES : (JSON.parse(row.root_causes) as RootCauses),
    revision: row.revision,
    updatedUs: row.updated_us,
    segmentCount: row.segments,
    subsegmentCount: row.subsegments,
  };
}

function rootOf(like: Entity, row: StoredSummary, http: Http): Entity {
  return {
    ...like,
    ...flagsOf((row.fault ? 1 : 0) + (row.error ? 2 : 0) + (row.throttle ? 4 : 0)),
    startUs: row.root_start_us,
    endUs: row.has_response ? row.root_start_us + row.response_us : undefined,
    http,
  };
}

function graphOf(like: Entity, row: StoredSummary, services: readonly ServiceId[]): TraceGraph {
  return {
    nodes: services.map((service, index) => nodeOf(like, service, row, index)),
    edges: row.edge_from.map((from, index) => ({
      from: String(from),
      to: String(row.edge_to[index]),
      type: undefined,
      aliases: [],
      calls: [],
      eventAgesUs: [],
      entities: requestsOf(like, row.edge_outcomes[index]),
    })),
  };
}

const NO_ROOT_CAUSES: RootCauses = { fault: [], error: [], responseTime: [] };

const NO_ENTITY: Omit<Entity, 'traceId' | 'startUs'> = {
  id: '' as EntityId,
  parentId: undefined,
  kind: 'segment',
  name: '',
  endUs: undefined,
  namespace: undefined,
  origin: undefined,
  user: undefined,
  resourceArn: undefined,
  accountId: undefined,
  outcome: 'ok',
  isFault: false,
  isError: false,
  isThrottle: false,
  http: undefined,
  cause: undefined,
  annotations: {},
  metadata: undefined,
  links: [],
  fields: {},
};

function valuesOf(row: StoredSummary): Values {
  const services = row.service_names.map((name, index) =>
    serviceIdOf(name, row.service_types[index], row.service_accounts[index]),
  );
  return {
    http: httpOf(row),
    annotations: annotationsOf(row),
    users: row.users,
    services,
    resourceArns: row.resource_arns,
    instanceIds: row.instance_ids,
    availabilityZones: row.availability_zones,
    entryPoint: row.has_root ? serviceIdOf(row.entry_name, row.entry_type, row.entry_account) : undefined,
    accountIds: row.account_ids,
  };
}

const serviceIdOf = (name: string, type: string | undefined, accountId: string | undefined): ServiceId => ({
  name,
  type: type || undefined,
  accountId: accountId || undefined,
});

function httpOf(row: StoredSummary): Http {
  return {
    ...(row.http_method && { method: row.http_method }),
    ...(row.http_url && { url: row.http_url }),
    ...(row.http_user_agent && { userAgent: row.http_user_agent }),
    ...(row.http_client_ip && { clientIp: row.http_client_ip }),
    ...(row.http_status && { status: row.http_status }),
  };
}

/** No key is in two of the maps: such annotations are in `exact`. */
const annotationsOf = (row: StoredSummary): TraceSummary['annotations'] => ({
  ...row.annotations_string,
  ...row.annotations_number,
  ...row.annotations_bool,
});

/** Entities that hold one value of each list, since filters find values on entities. */
function valueEntities(like: Entity, summary: TraceSummary, accountIds: readonly string[]): readonly Entity[] {
  const { annotations, users, resourceArns, instanceIds, availabilityZones } = summary;
  const keys = Object.keys(annotations);
  const lists = [...keys.map((key) => annotations[key] ?? []), users, resourceArns, instanceIds, availabilityZones];
  const count = lists.reduce((longest, { length }) => Math.max(longest, length), accountIds.length);
  return Array.from({ length: count }, (_, at) => ({
    ...like,
    id: `value ${at}` as EntityId,
    user: users[at],
    resourceArn: resourceArns[at],
    accountId: accountIds[at],
    annotations: Object.fromEntries(
      keys.flatMap((key): (readonly [string, AnnotationValue])[] => {
        const value = annotations[key]?.[at];
        return value === undefined ? [] : [[key, value]];
      }),
    ),
    fields: {
      aws: {
        ec2: {
          ...(instanceIds[at] !== undefined && { instance_id: instanceIds[at] }),
          ...(availabilityZones[at] !== undefined && { availability_zone: availabilityZones[at] }),
        },
      },
    },
  }));
}

function nodeOf(like: Entity, service: ServiceId, row: StoredSummary, index: number): GraphNode {
  const kind = row.service_kinds[index] ?? 0;
  return {
    key: String(index),
    service,
    state: 'active',
    isRoot: (kind & 1) !== 0,
    isClient: service.type === 'client',
    isInferred: (kind & 2) !== 0,
    responses: [],
    durationsUs: [],
    segments: requestsOf(like, row.service_outcomes[index]),
    entities: [],
  };
}

/** A request for each combination of flags whose bit is set. */
function requestsOf(like: Entity, outcomes = 0): readonly Entity[] {
  const requests: Entity[] = [];
  for (let flags = 0; flags < 8; flags++) {
    if ((outcomes & (1 << flags)) !== 0) requests.push({ ...like, ...flagsOf(flags) });
  }
  return requests;
}

const flagsOf = (flags: number): Pick<Entity, 'isFault' | 'isError' | 'isThrottle'> => ({
  isFault: (flags & 1) !== 0,
  isError: (flags & 2) !== 0,
  isThrottle: (flags & 4) !== 0,
});
