import type { AnnotationValue } from '../model/entity.ts';
import type { ServiceId } from '../model/graph.ts';
import type { Histogram } from '../model/histogram.ts';
import type { RootCause, RootCauseEntity } from '../model/root-cause.ts';
import type { ServiceEdge, ServiceGraph, ServiceNode, Statistics } from '../model/service-graph.ts';
import type { TraceSummary } from '../model/summary.ts';
import { formatTraceId } from '../model/trace-id.ts';
import type {
  WireAnnotationValue,
  WireEdge,
  WireHistogramEntry,
  WireRootCause,
  WireRootCauseEntity,
  WireService,
  WireServiceId,
  WireStatistics,
  WireTraceSummary,
} from './types.ts';

/** Epoch seconds; null where there is no such time. */
export function toSeconds(us: number): number;
export function toSeconds(us: number | undefined): number | null;
export function toSeconds(us: number | undefined): number | null {
  return us === undefined ? null : us / 1e6;
}

/** Durations keep the three decimals that X-Ray shows. */
function toRoundSeconds(us: number | undefined): number | null {
  return us === undefined ? null : Math.round(us / 1e3) / 1e3;
}

export function toWireServiceId({ name, type, accountId }: ServiceId): WireServiceId {
  return { AccountId: accountId ?? null, Name: name, Names: [name], Type: type ?? null };
}

function toWireAnnotation(value: AnnotationValue): WireAnnotationValue {
  return {
    NumberValue: typeof value === 'number' ? value : null,
    BooleanValue: typeof value === 'boolean' ? value : null,
    StringValue: typeof value === 'string' ? value : null,
  };
}

/** `matchedUs` is the time of the event by which the trace was found; X-Ray leaves it out for windows of trace ids. */
export function toWireSummary(summary: TraceSummary, matchedUs: number | undefined): WireTraceSummary {
  const { http, rootCauses } = summary;
  return {
    Id: formatTraceId(summary.id),
    StartTime: toSeconds(summary.startUs),
    Duration: toRoundSeconds(summary.durationUs),
    ResponseTime: toRoundSeconds(summary.responseTimeUs),
    HasFault: summary.hasFault,
    HasError: summary.hasError,
    HasThrottle: summary.hasThrottle,
    IsPartial: summary.isPartial,
    Http: {
      HttpURL: http.url ?? null,
      HttpStatus: http.status ?? null,
      HttpMethod: http.method ?? null,
      UserAgent: http.userAgent ?? null,
      ClientIp: http.clientIp ?? null,
    },
    Annotations: Object.fromEntries(
      Object.entries(summary.annotations).map(([key, values]) => [
        key,
        values.map((value) => ({ AnnotationValue: toWireAnnotation(value), ServiceIds: null })),
      ]),
    ),
    Users: summary.users.map((user) => ({ UserName: user, ServiceIds: null })),
    ServiceIds: summary.services.map(toWireServiceId),
    ResourceARNs: summary.resourceArns.map((arn) => ({ ARN: arn })),
    InstanceIds: summary.instanceIds.map((id) => ({ Id: id })),
    AvailabilityZones: summary.availabilityZones.map((name) => ({ Name: name })),
    EntryPoint: summary.entryPoint ? toWireServiceId(summary.entryPoint) : null,
    FaultRootCauses: rootCauses.fault.map(toWireRootCause),
    ErrorRootCauses: rootCauses.error.map(toWireRootCause),
    ResponseTimeRootCauses: rootCauses.responseTime.map(toWireRootCause),
    Revision: summary.revision,
    MatchedEventTime: toSeconds(matchedUs),
    AnyFault: summary.anyFault,
    AnyError: summary.anyError,
    AnyThrottle: summary.anyThrottle,
    SegmentCount: summary.segmentCount,
    SubsegmentCount: summary.subsegmentCount,
  };
}

/** Types and names are never null here: Grafana's data source fails on a root cause service without them. */
function toWireRootCause({ services, isClientImpacting }: RootCause): WireRootCause {
  return {
    ClientImpacting: isClientImpacting,
    Services: services.map(({ name, type, accountId, isInferred, entityPath }) => ({
      Name: name,
      Names: [name],
      Type: type ?? '',
      AccountId: accountId ?? null,
      Inferred: isInferred,
      EntityPath: entityPath.map(toWireRootCauseEntity),
    })),
  };
}

function toWireRootCauseEntity({ name, isRemote, exceptions, coverage }: RootCauseEntity): WireRootCauseEntity {
  if (coverage !== undefined) return { Name: name, Coverage: coverage, Remote: isRemote };
  return {
    Name: name,
    Exceptions: exceptions.map((exception) => ({ Name: exception.name, Message: exception.message })),
    Remote: isRemote,
  };
}

export function toWireStatistics(statistics: Statistics): WireStatistics {
  const { okCount, errorCount, throttleCount, faultCount, totalResponseTimeUs } = statistics;
  return {
    OkCount: okCount,
    ErrorStatistics: { ThrottleCount: throttleCount, OtherCount: errorCount, TotalCount: throttleCount + errorCount },
    FaultStatistics: { OtherCount: faultCount, TotalCount: faultCount },
    TotalCount: okCount + errorCount + throttleCount + faultCount,
    TotalResponseTime: toRoundSeconds(totalResponseTimeUs) ?? 0,
  };
}

export function toWireHistogram(histogram: Histogram): readonly WireHistogramEntry[] {
  return [...histogram].sort(([a], [b]) => a - b).map(([Value, Count]) => ({ Value, Count }));
}

/** `hasTimes` is false for the graph of one trace, whose nodes X-Ray gives no bounds. */
export function toWireServices(graph: ServiceGraph, hasTimes: boolean): readonly WireService[] {
  const nodes = [...graph.nodes.values()];
  const referenceIds = new Map(nodes.map(({ key }, index) => [key, index]));
  const edgesOf = Map.groupBy ? undefined : undefined;
  void edgesOf;
  return nodes.map((node) => toWireService(node, graph, referenceIds, hasTimes));
}

function toWireService(
  node: ServiceNode,
  graph: ServiceGraph,
  referenceIds: ReadonlyMap<string, number>,
  hasTimes: boolean,
): WireService {
  void graph;
  void referenceIds;
  void hasTimes;
  void node;
  throw new Error('filled when the model lands');
}

export function toWireEdge(_edge: ServiceEdge): WireEdge {
  throw new Error('filled when the model lands');
}
