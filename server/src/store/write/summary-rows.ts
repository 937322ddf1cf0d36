import type { AnnotationValue, Entity } from '../../model/entity.ts';
import { printJson } from '../../model/exact-json.ts';
import type { GraphNode, TraceGraph } from '../../model/graph.ts';
import type { TraceSummary } from '../../model/summary.ts';
import type { Trace } from '../../model/trace.ts';
import type { TraceId } from '../../model/trace-id.ts';
import type { Columns, RowBlock } from '../engine/engine.ts';
import {
  createRowBuffer,
  type RowBuffer,
  writeBool,
  writeBytes,
  writeFloat64,
  writeHex,
  writeLength,
  writeList,
  writeString,
  writeUInt8,
  writeUInt16,
  writeUInt32,
  writeUInt64,
  writtenBytes,
} from '../row-binary.ts';

/** Columns of `trace_summaries` in the order in which a row is written. */
const COLUMNS: Columns = {
  start_us: 'UInt64',
  trace_id: 'FixedString(16)',
  version: 'UInt64',
  is_deleted: 'UInt8',
  first_seq: 'UInt64',
  last_seq: 'UInt64',
  updated_us: 'UInt64',
  documents: 'UInt32',
  bytes: 'UInt64',
  revision: 'UInt32',
  segments: 'UInt32',
  subsegments: 'UInt32',
  root_start_us: 'UInt64',
  end_us: 'UInt64',
  has_duration: 'Bool',
  duration_us: 'UInt64',
  has_response: 'Bool',
  response_us: 'UInt64',
  has_root: 'Bool',
  fault: 'Bool',
  error: 'Bool',
  throttle: 'Bool',
  any_fault: 'Bool',
  any_error: 'Bool',
  any_throttle: 'Bool',
  worst_outcome: 'LowCardinality(String)',
  is_partial: 'Bool',
  has_inferred: 'Bool',
  http_method: 'LowCardinality(String)',
  http_url: 'String',
  http_user_agent: 'String',
  http_client_ip: 'String',
  http_status: 'UInt16',
  entry_name: 'LowCardinality(String)',
  entry_type: 'LowCardinality(String)',
  entry_account: 'LowCardinality(String)',
  service_names: 'Array(LowCardinality(String))',
  service_types: 'Array(LowCardinality(String))',
  service_accounts: 'Array(LowCardinality(String))',
  service_kinds: 'Array(UInt8)',
  service_outcomes: 'Array(UInt8)',
  edge_from: 'Array(UInt32)',
  edge_to: 'Array(UInt32)',
  edge_outcomes: 'Array(UInt8)',
  users: 'Array(String)',
  resource_arns: 'Array(String)',
  instance_ids: 'Array(String)',
  availability_zones: 'Array(String)',
  account_ids: 'Array(String)',
  annotations_string: 'Map(String, Array(String))',
  annotations_number: 'Map(String, Array(Float64))',
  annotations_bool: 'Map(String, Array(Bool))',
  root_causes: 'String',
  exact: 'String',
};

/** The documents that a row covers. */
export type CoveredDocuments = {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly documents: number;
  readonly bytes: number;
};

export type SummarySource = {
  readonly trace: Trace;
  readonly graph: TraceGraph;
  readonly summary: TraceSummary;
  readonly covered: CoveredDocuments;
};

/** The values of a row. Lists of one kind of thing have the same order. */
export type SummaryRow = Pick<
  TraceSummary,
  | 'id'
  | 'startUs'
  | 'updatedUs'
  | 'revision'
  | 'segmentCount'
  | 'subsegmentCount'
  | 'durationUs'
  | 'responseTimeUs'
  | 'hasFault'
  | 'hasError'
  | 'hasThrottle'
  | 'anyFault'
  | 'anyError'
  | 'anyThrottle'
  | 'worstOutcome'
  | 'isPartial'
  | 'http'
  | 'entryPoint'
  | 'services'
  | 'users'
  | 'resourceArns'
  | 'instanceIds'
  | 'availabilityZones'
  | 'annotations'
  | 'rootCauses'
> & {
  readonly covered: CoveredDocuments;
  readonly rootStartUs: number | undefined;
  /** The last end of an entity, 0 without one. */
  readonly endUs: number;
  readonly serviceKinds: readonly number[];
  readonly serviceOutcomes: readonly number[];
  /** Indexes of services; NO_INDEX for a service that the trace does not have. */
  readonly edgeFrom: readonly number[];
  readonly edgeTo: readonly number[];
  readonly edgeOutcomes: readonly number[];
  readonly accountIds: readonly string[];
};

/** Rows of one insert. */
export type SummaryBlock = {
  /** False, and nothing is added, when the summary is too large for a row. */
  add(row: SummaryRow): boolean;
  /** Cancels the row of a trace at its former start. */
  cancel(traceId: TraceId, startUs: number): void;
  /** No row decides about the trace: its documents do. `startUs`: when the trace started, or later. */
  addUndecided(traceId: TraceId, startUs: number, covered: CoveredDocuments): void;
  /** Undefined without rows. Of the blocks with the same `name` only the first takes effect. */
  end(name: string): RowBlock | undefined;
};

/** Values of a trace in its row, and characters of its root causes. */
const MAX_VALUES = 1_000;
const MAX_ROOT_CAUSE_LENGTH = 65_536;

/** `version`: the documents through this `seq` are summarised. */
export function newSummaryBlock(version: number): SummaryBlock {
  const rows = createRowBuffer();
  let count = 0;
  return {
    add(row) {
      const causes = rootCausesText(row);
      if (valueCount(row) > MAX_VALUES || causes.length > MAX_ROOT_CAUSE_LENGTH) return false;
      writeRow(rows, row, version, causes);
      count++;
      return true;
    },
    cancel(traceId, startUs) {
      writeKey(rows, traceId, startUs, version);
      writeUInt8(rows, 1);
      writeNothing(rows, { firstSeq: version, lastSeq: version, documents: 0, bytes: 0 }, 0);
      count++;
    },
    addUndecided(traceId, startUs, covered) {
      writeKey(rows, traceId, 0, version);
      writeUInt8(rows, 0);
      writeNothing(rows, covered, startUs);
      count++;
    },
    end: (name) =>
      count === 0
        ? undefined
        : {
            table: 'trace_summaries',
            columns: COLUMNS,
            bytes: writtenBytes(rows),
            insertToken: `trace_summaries/${name}`,
          },
  };
}

function writeKey(target: RowBuffer, traceId: TraceId, startUs: number, version: number): void {
  writeUInt64(target, startUs);
  writeHex(target, traceId, 16);
  writeUInt64(target, version);
}

function writeCovered(
  target: RowBuffer,
  { firstSeq, lastSeq, documents, bytes }: CoveredDocuments,
  updatedUs: number,
): void {
  writeUInt64(target, firstSeq);
  writeUInt64(target, lastSeq);
  writeUInt64(target, updatedUs);
  writeUInt32(target, documents);
  writeUInt64(target, bytes);
}

/** A row without values, but for the start of the trace in `root_start_us`. */
function writeNothing(target: RowBuffer, covered: CoveredDocuments, startUs: number): void {
  writeCovered(target, covered, 0);
  // revision, segments, subsegments
  writeBytes(target, NO_COUNTS);
  writeUInt64(target, startUs);
  writeBytes(target, ZEROS_AFTER_ROOT_START);
}

const NO_COUNTS = new Uint8Array(12);
const ZEROS_AFTER_ROOT_START = zerosAfter('root_start_us');

/** Zero and the empty string, list or map, of all columns after this one. */
function zerosAfter(column: string): Uint8Array {
  const types = Object.values(COLUMNS).slice(Object.keys(COLUMNS).indexOf(column) + 1);
  const widths: Readonly<Record<string, number>> = { UInt16: 2, UInt32: 4, UInt64: 8 };
  return new Uint8Array(types.reduce((sum, type) => sum + (widths[type] ?? 1), 0));
}

export function summaryRowOf({ trace, graph, summary, covered }: SummarySource): SummaryRow {
  const { nodes, edges } = graph;
  const indexes = new Map(nodes.map(({ key }, index) => [key, index]));
  return {
    ...summary,
    covered,
    rootStartUs: trace.root?.startUs,
    endUs: lastEndUs(trace),
    serviceKinds: nodes.map(kindOf),
    serviceOutcomes: nodes.map(({ segments }) => outcomesOf(segments)),
    edgeFrom: edges.map(({ from }) => indexes.get(from) ?? NO_INDEX),
    edgeTo: edges.map(({ to }) => indexes.get(to) ?? NO_INDEX),
    edgeOutcomes: edges.map(({ entities }) => outcomesOf(entities)),
    accountIds: accountIdsOf(trace.entities.values()),
  };
}

function writeRow(target: RowBuffer, row: SummaryRow, version: number, causes: string): void {
  const { http, services } = row;
  writeKey(target, row.id, row.startUs, version);
  writeUInt8(target, 0);
  writeCovered(target, row.covered, row.updatedUs);
  writeUInt32(target, row.revision);
  writeUInt32(target, row.segmentCount);
  writeUInt32(target, row.subsegmentCount);
  writeUInt64(target, row.rootStartUs ?? 0);
  writeUInt64(target, row.endUs);
  writeBool(target, row.durationUs !== undefined);
  writeUInt64(target, row.durationUs ?? 0);
  writeBool(target, row.responseTimeUs !== undefined);
  writeUInt64(target, row.responseTimeUs ?? 0);
  writeBool(target, row.rootStartUs !== undefined);
  writeBool(target, row.hasFault);
  writeBool(target, row.hasError);
  writeBool(target, row.hasThrottle);
  writeBool(target, row.anyFault);
  writeBool(target, row.anyError);
  writeBool(target, row.anyThrottle);
  writeString(target, row.worstOutcome);
  writeBool(target, row.isPartial);
  writeBool(
    target,
    row.serviceKinds.some((kind) => (kind & SERVICE_KIND.inferred) !== 0),
  );
  writeString(target, http.method ?? '');
  writeString(target, http.url ?? '');
  writeString(target, http.userAgent ?? '');
  writeString(target, http.clientIp ?? '');
  writeUInt16(target, http.status ?? 0);
  writeString(target, row.entryPoint?.name ?? '');
  writeString(target, row.entryPoint?.type ?? '');
  writeString(target, row.entryPoint?.accountId ?? '');
  writeList(target, services, (to, { name }) => writeString(to, name));
  writeList(target, services, (to, { type }) => writeString(to, type ?? ''));
  writeList(target, services, (to, { accountId }) => writeString(to, accountId ?? ''));
  writeList(target, row.serviceKinds, writeUInt8);
  writeList(target, row.serviceOutcomes, writeUInt8);
  writeList(target, row.edgeFrom, writeUInt32);
  writeList(target, row.edgeTo, writeUInt32);
  writeList(target, row.edgeOutcomes, writeUInt8);
  writeList(target, row.users, writeString);
  writeList(target, row.resourceArns, writeString);
  writeList(target, row.instanceIds, writeString);
  writeList(target, row.availabilityZones, writeString);
  writeList(target, row.accountIds, writeString);
  writeAnnotations(target, row.annotations);
  writeString(target, causes);
  writeString(target, isExactInColumns(row) ? '' : exactText(row));
}

const NO_INDEX = 0xffff_ffff;

/** Bits of `service_kinds`. */
export const SERVICE_KIND = { root: 1, inferred: 2 } as const;

const kindOf = ({ isRoot, isInferred }: GraphNode): number =>
  (isRoot ? SERVICE_KIND.root : 0) | (isInferred ? SERVICE_KIND.inferred : 0);

/** A bit for each combination of flags that a request had. */
function outcomesOf(requests: readonly Entity[]): number {
  return requests.reduce((bits, request) => bits | outcomeBit(request), 0);
}

export function outcomeBit({ isFault, isError, isThrottle }: Entity): number {
  return 1 << ((isFault ? 1 : 0) + (isError ? 2 : 0) + (isThrottle ? 4 : 0));
}

function lastEndUs(trace: Trace): number {
  let lastUs = 0;
  for (const { endUs } of trace.entities.values()) if (endUs !== undefined && endUs > lastUs) lastUs = endUs;
  return lastUs;
}

/** Distinct, in the order of the entities. */
export function accountIdsOf(entities: Iterable<Entity>): readonly string[] {
  const ids = new Set<string>();
  for (const { accountId } of entities) if (accountId !== undefined) ids.add(accountId);
  return [...ids];
}

type Annotations = TraceSummary['annotations'];

/** Three maps. A value that a double cannot hold, and a key with values of two types, are in the column `exact`. */
function writeAnnotations(target: RowBuffer, annotations: Annotations): void {
  const keys = { string: [] as string[], number: [] as string[], boolean: [] as string[] };
  for (const key of Object.keys(annotations)) {
    const type = typeof annotations[key]?.[0];
    if (type === 'string' || type === 'number' || type === 'boolean') keys[type].push(key);
  }
  writeMap(target, annotations, keys.string, writeString);
  writeMap(target, annotations, keys.number, writeFloat64);
  writeMap(target, annotations, keys.boolean, writeBool);
}

/** Values that have another type than the first one of their key are left out. */
function writeMap<Value extends AnnotationValue>(
  target: RowBuffer,
  annotations: Annotations,
  keys: readonly string[],
  write: (target: RowBuffer, value: Value) => void,
): void {
  writeLength(target, keys.length);
  for (const key of keys) {
    writeString(target, key);
    const all = annotations[key] ?? [];
    const values = all.length === 1 ? all : all.filter((value) => typeof value === typeof all[0]);
    writeList(target, values as readonly Value[], write);
  }
}

function rootCausesText({ rootCauses }: SummaryRow): string {
  const { fault, error, responseTime } = rootCauses;
  return fault.length + error.length + responseTime.length === 0 ? '' : JSON.stringify(rootCauses);
}

function valueCount(row: SummaryRow): number {
  const { annotations } = row;
  let count = row.services.length + row.edgeFrom.length;
  for (const key in annotations) count += annotations[key]?.length ?? 0;
  return count + row.users.length + row.resourceArns.length + row.instanceIds.length + row.availabilityZones.length;
}

/** Columns cannot distinguish an empty text from none, and hold whole status codes and UTF-8 only. */
function isExactInColumns(summary: SummaryRow): boolean {
  const { http, entryPoint, services, accountIds } = summary;
  const isServiceExact = ({ name, type, accountId }: (typeof services)[number]) =>
    isUtf8(name) && isExactText(type) && isExactText(accountId);
  return (
    isExactText(http.method) &&
    isExactText(http.url) &&
    isExactText(http.userAgent) &&
    isExactText(http.clientIp) &&
    (http.status === undefined || (Number.isInteger(http.status) && http.status > 0 && http.status <= 0xffff)) &&
    (entryPoint === undefined || isServiceExact(entryPoint)) &&
    services.every(isServiceExact) &&
    [summary.users, summary.resourceArns, summary.instanceIds, summary.availabilityZones, accountIds].every((texts) =>
      texts.every(isUtf8),
    ) &&
    Object.entries(summary.annotations).every(([key, values]) => isUtf8(key) && areExactInColumns(values))
  );
}

const isExactText = (text: string | undefined): boolean => text === undefined || (text !== '' && isUtf8(text));

/** No half of a surrogate pair. */
const isUtf8 = (text: string): boolean => (text as string & { isWellFormed(): boolean }).isWellFormed();

function areExactInColumns(values: readonly AnnotationValue[]): boolean {
  const type = typeof values[0];
  return values.every(
    (value) => typeof value === type && typeof value !== 'object' && (typeof value !== 'string' || isUtf8(value)),
  );
}

function exactText(summary: SummaryRow): string {
  const { http, annotations, users, services, resourceArns, instanceIds, availabilityZones, entryPoint, accountIds } =
    summary;
  return printJson({
    http,
    annotations,
    users,
    services,
    resourceArns,
    instanceIds,
    availabilityZones,
    entryPoint,
    accountIds,
  });
}
