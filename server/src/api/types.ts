/**
 * The X-Ray API's members on the wire: AWS's spelling, epoch seconds with fractions, `1-…` trace ids.
 * Members whose comment begins with "openray" are not AWS's. Responses of X-Ray's operations have them only when the
 * request has the header `x-openray-extensions: 1`.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_Types.html
 */

import type { AnyNumber } from '../model/exact-number.ts';
import type { LogRecord, ResourceSpans } from '../model/otlp-messages.ts';

export type WireServiceId = {
  readonly Name: string;
  readonly Names: readonly string[];
  readonly AccountId: string | null;
  readonly Type: string | null;
};

export type WireAnnotationValue = {
  readonly NumberValue: AnyNumber | null;
  readonly BooleanValue: boolean | null;
  readonly StringValue: string | null;
};

export type WireHttp = {
  readonly HttpURL: string | null;
  readonly HttpStatus: number | null;
  readonly HttpMethod: string | null;
  readonly UserAgent: string | null;
  readonly ClientIp: string | null;
};

export type WireRootCauseEntity = {
  readonly Name: string;
  readonly Remote: boolean;
  readonly Exceptions?: readonly { readonly Name: string; readonly Message: string }[];
  readonly Coverage?: number;
};

export type WireRootCause = {
  readonly ClientImpacting: boolean;
  readonly Services: readonly {
    readonly Name: string;
    readonly Names: readonly string[];
    readonly Type: string;
    readonly AccountId: string | null;
    readonly Inferred: boolean;
    readonly EntityPath: readonly WireRootCauseEntity[];
  }[];
};

export type AwsTraceSummary = {
  readonly Id: string;
  readonly StartTime: number;
  readonly Duration: number | null;
  readonly ResponseTime: number | null;
  readonly HasFault: boolean;
  readonly HasError: boolean;
  readonly HasThrottle: boolean;
  readonly IsPartial: boolean;
  readonly Http: WireHttp;
  readonly Annotations: Readonly<
    Record<string, readonly { readonly AnnotationValue: WireAnnotationValue; readonly ServiceIds: null }[]>
  >;
  readonly Users: readonly { readonly UserName: string; readonly ServiceIds: null }[];
  readonly ServiceIds: readonly WireServiceId[];
  readonly ResourceARNs: readonly { readonly ARN: string }[];
  readonly InstanceIds: readonly { readonly Id: string }[];
  readonly AvailabilityZones: readonly { readonly Name: string }[];
  readonly EntryPoint: WireServiceId | null;
  readonly FaultRootCauses: readonly WireRootCause[];
  readonly ErrorRootCauses: readonly WireRootCause[];
  readonly ResponseTimeRootCauses: readonly WireRootCause[];
  readonly Revision: number;
  readonly MatchedEventTime: number | null;
};

export type WireTraceSummary = AwsTraceSummary & {
  /** openray: whether any segment or subsegment has the flag; `HasFault` and the like are of the root only. */
  readonly AnyFault: boolean;
  readonly AnyError: boolean;
  readonly AnyThrottle: boolean;
  /**
   * openray: the worst outcome of a segment or subsegment: fault, throttle, error, ok. With several flags, a segment
   * has the first outcome of throttle, fault, error.
   */
  readonly WorstOutcome: 'ok' | 'error' | 'throttle' | 'fault';
  /** openray: numbers of segments and subsegments that have arrived. */
  readonly SegmentCount: number;
  readonly SubsegmentCount: number;
  /** openray: true when the trace is too large to be read whole. Its services, root causes and values may be incomplete. */
  readonly LimitExceeded?: boolean;
};

export type GetTraceSummariesRequest = {
  readonly StartTime: number;
  readonly EndTime: number;
  readonly TimeRangeType?: 'TraceId' | 'Event' | 'Service';
  readonly FilterExpression?: string;
  readonly Sampling?: boolean;
  readonly SamplingStrategy?: {
    readonly Name?: 'PartialScan' | 'FixedRate';
    readonly Value?: number;
  };
  /** openray: only traces of the group. */
  readonly GroupName?: string;
  readonly GroupARN?: string;
  readonly NextToken?: string | null;
};

export type GetTraceSummariesResponse<Summary = WireTraceSummary> = {
  readonly TraceSummaries: readonly Summary[];
  readonly ApproximateTime: number;
  readonly TracesProcessedCount: number;
  /** openray: the window begins before this time, and documents that arrived before it were deleted. */
  readonly PrunedBefore?: number;
  readonly NextToken: string | null;
};

export type WireHistogramEntry = { readonly Value: number; readonly Count: number };

export type WireStatistics = {
  readonly OkCount: number;
  readonly ErrorStatistics: {
    readonly ThrottleCount: number;
    readonly OtherCount: number;
    readonly TotalCount: number;
  };
  readonly FaultStatistics: { readonly OtherCount: number; readonly TotalCount: number };
  readonly TotalCount: number;
  readonly TotalResponseTime: number;
};

export type WireEdge = {
  readonly ReferenceId: number;
  readonly StartTime: number | null;
  readonly EndTime: number | null;
  readonly SummaryStatistics: WireStatistics;
  readonly ResponseTimeHistogram?: readonly WireHistogramEntry[];
  readonly Aliases: readonly {
    readonly Name: string;
    readonly Names: readonly string[];
    readonly Type: string | null;
  }[];
  readonly EdgeType?: string;
  readonly ReceivedEventAgeHistogram?: readonly WireHistogramEntry[];
};

export type WireService = {
  readonly ReferenceId: number;
  readonly Name: string;
  readonly Names: readonly string[];
  readonly Root: boolean | null;
  readonly AccountId: string | null;
  readonly Type: string | null;
  readonly State: string;
  readonly StartTime: number | null;
  readonly EndTime: number | null;
  readonly Edges: readonly WireEdge[];
  readonly SummaryStatistics: WireStatistics | null;
  readonly DurationHistogram: readonly WireHistogramEntry[] | null;
  readonly ResponseTimeHistogram: readonly WireHistogramEntry[] | null;
};

export type GetServiceGraphRequest = {
  readonly StartTime: number;
  readonly EndTime: number;
  readonly GroupName?: string;
  readonly GroupARN?: string;
  /** openray: only traces that match. */
  readonly FilterExpression?: string;
};

export type GetServiceGraphResponse = {
  readonly StartTime: number | null;
  readonly EndTime: number | null;
  readonly Services: readonly WireService[];
  readonly ContainsOldGroupVersions: boolean;
  /** openray: the window begins before this time, and documents that arrived before it were deleted. */
  readonly PrunedBefore?: number;
  /** openray: traces that are counted in part only, since they are too large; see `docs/reference/xray-api.md`. */
  readonly LimitedTraces?: number;
  readonly NextToken: null;
};

export type GetTraceGraphRequest = { readonly TraceIds: readonly string[] };
export type GetTraceGraphResponse = { readonly Services: readonly WireService[]; readonly NextToken: null };

export type BatchGetTracesRequest = { readonly TraceIds: readonly string[]; readonly NextToken?: string | null };
export type WireTrace = {
  readonly Id: string;
  readonly Duration: number | null;
  /** The trace comes in parts, and this is one of them. */
  readonly LimitExceeded: boolean;
  readonly Segments: readonly { readonly Id: string; readonly Document: string }[];
  /** openray: subsegments whose parent has not arrived, as documents. */
  readonly Orphans?: readonly { readonly Id: string; readonly Document: string }[];
  /** openray: events of OpenTelemetry spans, by time. */
  readonly Events?: readonly WireSpanEvent[];
  /** openray: segments whose clocks disagree with those of their callers, largest difference first; at most 20. */
  readonly ClockSkews?: readonly WireClockSkew[];
  /** openray: the trace began before this time, and documents that arrived before it were deleted. */
  readonly PrunedBefore?: number;
};
/** The clock of the segment `Id` is at least `Seconds` ahead of the clock of its caller `ParentId`; negative: behind. */
export type WireClockSkew = { readonly Id: string; readonly ParentId: string; readonly Seconds: number };
/** An event of the span `Id`; `Time` in epoch seconds. */
export type WireSpanEvent = { readonly Id: string; readonly Time: number; readonly Name: string };
export type BatchGetTracesResponse = {
  readonly Traces: readonly WireTrace[];
  readonly UnprocessedTraceIds: readonly string[];
  /** Leads to the other traces, and to the next part of a trace with `LimitExceeded`. */
  readonly NextToken: string | null;
};

export type GetTimeSeriesServiceStatisticsRequest = {
  readonly StartTime: number;
  readonly EndTime: number;
  readonly GroupName?: string;
  readonly GroupARN?: string;
  readonly EntitySelectorExpression?: string;
  readonly Period?: 60 | 300;
  readonly ForecastStatistics?: boolean;
};

export type WireTimeSeriesPoint = {
  readonly Timestamp: number;
  readonly EdgeSummaryStatistics: WireStatistics | null;
  readonly ServiceSummaryStatistics: WireStatistics | null;
  readonly ServiceForecastStatistics: { readonly FaultCountHigh: number | null; readonly FaultCountLow: number | null };
  readonly ResponseTimeHistogram: readonly WireHistogramEntry[];
};

export type GetTimeSeriesServiceStatisticsResponse = {
  readonly TimeSeriesServiceStatistics: readonly WireTimeSeriesPoint[];
  readonly ContainsOldGroupVersions: boolean;
  /** openray: the window begins before this time, and documents that arrived before it were deleted. */
  readonly PrunedBefore?: number;
  /** openray: traces that are counted in part only, since they are too large; see `docs/reference/xray-api.md`. */
  readonly LimitedTraces?: number;
  readonly NextToken: null;
};

export type WireGroup = {
  readonly GroupName: string;
  readonly GroupARN: string;
  /** Absent for `Default`. */
  readonly FilterExpression?: string;
  readonly InsightsConfiguration: { readonly InsightsEnabled: boolean; readonly NotificationsEnabled: boolean };
};
/** Of CreateGroup and UpdateGroup; UpdateGroup keeps the values of absent members. */
export type GroupRequest = { readonly GroupName: string; readonly FilterExpression?: string };
/** Of CreateGroup, GetGroup and UpdateGroup. */
export type GroupResponse = { readonly Group: WireGroup };
export type GetGroupsResponse = { readonly Groups: readonly WireGroup[]; readonly NextToken: null };

/** Every error; the header `x-amzn-errortype` has the code too. */
export type WireError = { readonly __type: string; readonly Message: string };

/** Of openray's own WaitForTrace. */
export type WaitForTraceResponse = {
  /** The trace of the request; after a timeout the trace that comes nearest to it, null for none. */
  readonly TraceId: string | null;
  readonly Found: boolean;
  /** Missing parts of the trace, one sentence each. */
  readonly Missing: readonly string[];
  /** In the order of arrival: `xray` as it was sent, `otlp` with its resource and scope. */
  readonly Documents: readonly { readonly Format: 'xray' | 'otlp' | 'otlp-log'; readonly Body: string }[];
};

export type GetTraceSummaryRequest = { readonly TraceId: string };

/** Of openray's own GetTraceSummary. */
export type GetTraceSummaryResponse = {
  readonly TraceSummary: WireTraceSummary;
  /** The trace began before this time, and documents that arrived before it were deleted. */
  readonly PrunedBefore?: number;
};

export type GetSpanRequest = { readonly TraceId: string; readonly Id: string };

/** Of openray's own GetSpan. */
export type GetSpanResponse = {
  /** `xray`: it was received as a segment document, and the span is its translation without a loss. */
  readonly SentAs: 'otlp' | 'xray';
  /** The one span with its resource and scope, as OTLP/JSON. */
  readonly ResourceSpans: readonly ResourceSpans[];
  /** Log records of exceptions of the span. */
  readonly LogRecords: readonly LogRecord[];
};

export type { AnyValue, KeyValue, LogRecord, ResourceSpans, SpanEvent, SpanLink } from '../model/otlp-messages.ts';

/** Of openray's own GetFunctionLogs. */
export type WireLogEvent = {
  readonly FunctionName: string;
  readonly Time: number;
  /** The same in whole microseconds, for `AfterUs` of the next request. */
  readonly AtUs: number;
  readonly TraceId: string | null;
  readonly RequestId: string | null;
  readonly LogGroup: string;
  readonly LogStream: string;
  readonly Source: 'platform' | 'function' | 'extension';
  readonly Level: string | null;
  readonly Text: string;
  /** Metrics of a line in CloudWatch's embedded metric format. */
  readonly Metrics: readonly {
    readonly Namespace: string;
    readonly Name: string;
    readonly Unit: string;
    readonly Values: readonly number[];
    readonly Dimensions: Readonly<Record<string, string>>;
  }[];
};

export type GetFunctionLogsRequest = {
  readonly StartTime?: number;
  readonly EndTime?: number;
  /** Only events after this `AtUs` of an earlier response. */
  readonly AfterUs?: number;
  readonly TraceId?: string;
  readonly RequestId?: string;
  readonly FunctionName?: string;
  readonly Contains?: string;
  readonly Limit?: number;
};

export type GetFunctionLogsResponse = {
  readonly Events: readonly WireLogEvent[];
  /** False when there may be more events than the limit. */
  readonly IsComplete: boolean;
};

export type WireCount = { readonly Reason: string; readonly Count: number };

/**
 * Of openray's own GetServerStatus. Counters are of this server since its start; `Store` is of all servers on the
 * store.
 */
export type GetServerStatusResponse = {
  readonly Time: number;
  /** Time at which the server started. */
  readonly StartTime: number;
  /** Addresses in force. `Daemon` is `host:port`, of UDP and of HTTP; a URL is null where the receiver is switched off. */
  readonly Addresses: {
    readonly Daemon: string;
    readonly OtlpHttp: string | null;
    readonly OtlpGrpc: string | null;
  };
  /** Logical ids of the functions of the template; empty without a template. */
  readonly Functions: readonly string[];
  /** By receiver; `Received = Stored + Queued + Rejected + Dropped`. */
  readonly Documents: readonly {
    readonly Receiver: string;
    readonly Received: number;
    readonly Stored: number;
    readonly Queued: number;
    readonly Rejected: number;
    readonly Dropped: number;
  }[];
  /** Rejected documents by error code, over all receivers, the most frequent first. */
  readonly Rejections: readonly WireCount[];
  /** Dropped documents by drop reason, over all receivers, the most frequent first. */
  readonly Drops: readonly WireCount[];
  /** Requests that were refused before they were read, by reason: their documents are in no other count. */
  readonly RefusedRequests: readonly WireCount[];
  /** UDP packets; `Received = Read + Dropped`. */
  readonly Datagrams: { readonly Received: number; readonly Read: number; readonly Dropped: readonly WireCount[] };
  /** By backend to which documents are forwarded; `Received = Sent + Queued + Rejected + Dropped`. */
  readonly Forwards: readonly {
    readonly Target: string;
    readonly Received: number;
    readonly Sent: number;
    readonly Queued: number;
    readonly Rejected: number;
    readonly Dropped: number;
    readonly Retries: number;
  }[];
  readonly Store: {
    /** Whether several servers may use the store. */
    readonly IsShared: boolean;
    readonly Documents: number;
    readonly Bytes: number;
    readonly FreeBytes: number | null;
    /** The oldest day with documents. */
    readonly OldestDay: number | null;
    /** Some of the documents that arrived before this time were deleted. */
    readonly PrunedBefore: number | null;
    /** Null for no limit. */
    readonly RetentionDays: number | null;
    /** For example `7d service("ping")`: the first rule that matches a trace applies. */
    readonly RetentionRules: readonly string[];
    readonly RetentionMaxBytes: number | null;
    readonly QueuedBytes: number;
    readonly QueueMaxBytes: number;
    /** Parts of tables that cannot be read and are left out of every response. */
    readonly DamagedParts: readonly { readonly Table: string; readonly Part: string; readonly Reason: string }[];
  };
};
