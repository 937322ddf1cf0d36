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

/** Rows of one insert. */
export type SummaryBlock = {
  /** False, and nothing is added, when the summary is too large for a row. */
  add(source: SummarySource): boolean;
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
    add(source) {
      const causes = rootCausesText(source.summary);
      if (valueCount(source) > MAX_VALUES || causes.length > MAX_ROOT_CAUSE_LENGTH) return false;
      writeRow(rows, source, version, causes);
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

function writeRow(
  target: RowBuffer,
  { trace, graph, summary, covered }: SummarySource,
  version: number,
  causes: string,
): void {
  const { root } = trace;
  const { http } = summary;
  const accountIds = accountIdsOf(trace);
  writeKey(target, summary.id, summary.startUs, version);
  writeUInt8(target, 0);
  writeCovered(target, covered, summary.updatedUs);
  writeUInt32(target, summary.revision);
  writeUInt32(target, summary.segmentCount);
  writeUInt32(target, summary.subsegmentCount);
  writeUInt64(target, root?.startUs ?? 0);
  writeUInt64(target, lastEndUs(trace));
  writeBool(target, summary.durationUs !== undefined);
  writeUInt64(target, summary.durationUs ?? 0);
  writeBool(target, summary.responseTimeUs !== undefined);
  writeUInt64(target, summary.responseTimeUs ?? 0);
  writeBool(target, root !== undefined);
  writeBool(target, summary.hasFault);
  writeBool(target, summary.hasError);
  writeBool(target, summary.hasThrottle);
  writeBool(target, summary.anyFault);
  writeBool(target, summary.anyError);
  writeBool(target, summary.anyThrottle);
  writeString(target, summary.worstOutcome);
  writeBool(target, summary.isPartial);
  writeBool(
    target,
    graph.nodes.some(({ isInferred }) => isInferred),
  );
  writeString(target, http.method ?? '');
  writeString(target, http.url ?? '');
  writeString(target, http.userAgent ?? '');
  writeString(target, http.clientIp ?? '');
  writeUInt16(target, http.status ?? 0);
  writeString(target, summary.entryPoint?.name ?? '');
  writeString(target, summary.entryPoint?.type ?? '');
  writeString(target, summary.entryPoint?.accountId ?? '');
  writeGraph(target, graph);
  writeStrings(target, summary.users);
  writeStrings(target, summary.resourceArns);
  writeStrings(target, summary.instanceIds);
  writeStrings(target, summary.availabilityZones);
  writeStrings(target, accountIds);
  writeAnnotations(target, summary.annotations);
  writeString(target, causes);
  writeString(target, isExactInColumns(summary, accountIds) ? '' : exactText(summary, accountIds));
}

function writeGraph(target: RowBuffer, { nodes, edges }: TraceGraph): void {
  writeList(target, nodes, ({ service }) => writeString(target, service.name));
  writeList(target, nodes, ({ service }) => writeString(target, service.type ?? ''));
  writeList(target, nodes, ({ service }) => writeString(target, service.accountId ?? ''));
  writeList(target, nodes, (node) => writeUInt8(target, kindOf(node)));
  writeList(target, nodes, ({ segments }) => writeUInt8(target, outcomesOf(segments)));
  const indexes = new Map(nodes.map(({ key }, index) => [key, index]));
  writeList(target, edges, ({ from }) => writeUInt32(target, indexes.get(from) ?? NO_INDEX));
  writeList(target, edges, ({ to }) => writeUInt32(target, indexes.get(to) ?? NO_INDEX));
  writeList(target, edges, ({ entities }) => writeUInt8(target, outcomesOf(entities)));
}

const NO_INDEX = 0xffff_ffff;

const kindOf = ({ isRoot, isInferred }: GraphNode): number => (isRoot ? 1 : 0) | (isInferred ? 2 : 0);

/** A bit for each combination of flags that a request had. */
function outcomesOf(requests: readonly Entity[]): number {
  let bits = 0;
  for (const { isFault, isError, isThrottle } of requests) {
    bits |= 1 << ((isFault ? 1 : 0) + (isError ? 2 : 0) + (isThrottle ? 4 : 0));
  }
  return bits;
}

function lastEndUs(trace: Trace): number {
  let lastUs = 0;
  for (const { endUs } of trace.entities.values()) if (endUs !== undefined && endUs > lastUs) lastUs = endUs;
  return lastUs;
}

function accountIdsOf(trace: Trace): readonly string[] {
  const ids = new Set<string>();
  for (const { accountId } of trace.entities.values()) if (accountId !== undefined) ids.add(accountId);
  return [...ids];
}

function writeList<Item>(target: RowBuffer, items: readonly Item[], write: (item: Item) => void): void {
  writeLength(target, items.length);
  for (const item of items) write(item);
}

function writeStrings(target: RowBuffer, texts: readonly string[]): void {
  writeLength(target, texts.length);
  for (const text of texts) writeString(target, text);
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
    writeLength(target, values.length);
    for (const value of values) write(target, value as Value);
  }
}

function rootCausesText({ rootCauses }: TraceSummary): string {
  const { fault, error, responseTime } = rootCauses;
  return fault.length + error.length + responseTime.length === 0 ? '' : JSON.stringify(rootCauses);
}

function valueCount({ graph, summary }: SummarySource): number {
  let count = graph.nodes.length + graph.edges.length;
  for (const values of Object.values(summary.annotations)) count += values.length;
  const { users, resourceArns, instanceIds, availabilityZones } = summary;
  return count + users.length + resourceArns.length + instanceIds.length + availabilityZones.length;
}

/** Columns cannot distinguish an empty text from none, and hold whole status codes and UTF-8 only. */
function isExactInColumns(summary: TraceSummary, accountIds: readonly string[]): boolean {
  const { http, entryPoint, services } = summary;
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

function exactText(summary: TraceSummary, accountIds: readonly string[]): string {
  const { http, annotations, users, services, resourceArns, instanceIds, availabilityZones, entryPoint } = summary;
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
