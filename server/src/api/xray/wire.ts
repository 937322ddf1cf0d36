import type { AnnotationValue } from '../../model/entity.ts';
import { isNumber } from '../../model/exact-number.ts';
import type { ServiceId } from '../../model/graph.ts';
import type { Histogram } from '../../model/histogram.ts';
import type { RootCause, RootCauseEntity } from '../../model/root-cause.ts';
import { type ServiceEdge, type ServiceGraph, type Statistics, stateOf } from '../../model/service-graph.ts';
import { serviceOfKey } from '../../model/service-names.ts';
import type { TraceSummary } from '../../model/summary.ts';
import type { TimeInterval } from '../../model/time-interval.ts';
import { formatTraceId } from '../../model/trace-id.ts';
import { toSeconds } from '../fields.ts';
import type { ApiContext } from '../operation.ts';
import type {
  AwsTraceSummary,
  WireAnnotationValue,
  WireEdge,
  WireHistogramEntry,
  WireRootCause,
  WireRootCauseEntity,
  WireService,
  WireServiceId,
  WireStatistics,
  WireTraceSummary,
} from '../types.ts';

/**
 * openray's own member: marks a response as possibly incomplete when retention has deleted documents of the time at
 * which it begins.
 */
export function prunedMember(
  { store, hasExtensions }: Pick<ApiContext, 'store' | 'hasExtensions'>,
  fromUs: number,
): { readonly PrunedBefore?: number } {
  if (!hasExtensions) return {};
  const { prunedBeforeUs } = store.statistics();
  return prunedBeforeUs !== undefined && fromUs < prunedBeforeUs ? { PrunedBefore: toSeconds(prunedBeforeUs) } : {};
}

/**
 * openray's own member: how many traces the service map has in part only, of those whose other documents arrived in the
 * window. A document arrives soon after the end of its segment.
 */
export function limitedMember(
  { stats, hasExtensions }: Pick<ApiContext, 'stats' | 'hasExtensions'>,
  window: TimeInterval,
): { readonly LimitedTraces?: number } {
  if (!hasExtensions) return {};
  const limited = [...stats.rollUp.missing.values()].filter(
    ({ fromUs, toUs }) => fromUs < window.toUs && toUs > window.fromUs,
  );
  return limited.length > 0 ? { LimitedTraces: limited.length } : {};
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
    NumberValue: isNumber(value) ? value : null,
    BooleanValue: typeof value === 'boolean' ? value : null,
    StringValue: typeof value === 'string' ? value : null,
  };
}

/** `matchedUs` is the time of the event that matched the window; X-Ray leaves it out for `TimeRangeType` `TraceId`. */
export function toAwsSummary(summary: TraceSummary, matchedUs: number | undefined): AwsTraceSummary {
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
  };
}

/** The same with openray's own members. */
export function toWireSummary(summary: TraceSummary, matchedUs: number | undefined): WireTraceSummary {
  return {
    ...toAwsSummary(summary, matchedUs),
    AnyFault: summary.anyFault,
    AnyError: summary.anyError,
    AnyThrottle: summary.anyThrottle,
    WorstOutcome: summary.worstOutcome,
    SegmentCount: summary.segmentCount,
    SubsegmentCount: summary.subsegmentCount,
    ...(summary.limitExceeded && { LimitExceeded: true }),
  };
}

/** Types and names are never null: Grafana's data source fails on a root cause service without them. */
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
  return [...histogram].sort(([a], [b]) => a - b).map(([binUs, Count]) => ({ Value: binUs / 1e6, Count }));
}

/** Earliest start and latest end of the graph's services; null for an empty graph. */
export function boundsOf({ nodes }: ServiceGraph): { StartTime: number | null; EndTime: number | null } {
  if (nodes.size === 0) return { StartTime: null, EndTime: null };
  const all = [...nodes.values()];
  return {
    StartTime: toSeconds(Math.min(...all.map(({ startUs }) => startUs))),
    EndTime: toSeconds(Math.max(...all.map(({ endUs }) => endUs))),
  };
}

/**
 * Services in the order of their keys, edges inside the calling service. X-Ray's graph of single traces has no times.
 */
export function toWireServices(graph: ServiceGraph, times: 'with-times' | 'without-times'): readonly WireService[] {
  const nodes = [...graph.nodes.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  const referenceIds = new Map(nodes.map(({ key }, index) => [key, index]));
  const edgesFrom = new Map<string, ServiceEdge[]>();
  for (const edge of graph.edges.values()) edgesFrom.set(edge.from, [...(edgesFrom.get(edge.from) ?? []), edge]);
  return nodes.map((node, index) => {
    const bounds = times === 'with-times' ? node : { startUs: undefined, endUs: undefined };
    const edges = (edgesFrom.get(node.key) ?? []).sort((a, b) => (a.to < b.to ? -1 : 1));
    return {
      ReferenceId: index,
      ...toWireServiceId(node.service),
      Root: node.rootCount > 0 ? true : null,
      State: stateOf(node),
      StartTime: toSeconds(bounds.startUs),
      EndTime: toSeconds(bounds.endUs),
      Edges: edges.map((edge) => toWireEdge(edge, referenceIds.get(edge.to) ?? -1, bounds)),
      SummaryStatistics: node.clientCount > 0 ? null : toWireStatistics(node.statistics),
      DurationHistogram: node.clientCount > 0 ? null : toWireHistogram(node.durations),
      ResponseTimeHistogram: node.clientCount > 0 ? null : toWireHistogram(node.responseTimes),
    };
  });
}

function toWireEdge(edge: ServiceEdge, referenceId: number, bounds: Bounds): WireEdge {
  return {
    ReferenceId: referenceId,
    StartTime: toSeconds(bounds.startUs),
    EndTime: toSeconds(bounds.endUs),
    SummaryStatistics: toWireStatistics(edge.statistics),
    Aliases: [...edge.aliases.keys()].sort().map(toWireAlias),
    ...(edge.type === 'link'
      ? { EdgeType: 'link', ReceivedEventAgeHistogram: toWireHistogram(edge.eventAges) }
      : { ResponseTimeHistogram: toWireHistogram(edge.responseTimes) }),
  };
}

function toWireAlias(key: string): WireEdge['Aliases'][number] {
  const { name, type } = serviceOfKey(key);
  return { Name: name, Names: [name], Type: type ?? null };
}

type Bounds = { readonly startUs: number | undefined; readonly endUs: number | undefined };
