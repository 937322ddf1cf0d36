/**
 * The X-Ray API's members as they travel: AWS's spelling, epoch seconds with fractions, `1-…` trace ids.
 * Members under "openray" are ours; AWS SDKs drop them.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_Types.html
 */

import type { LogRecord, ResourceSpans } from '../model/otlp/types.ts';

export type WireServiceId = {
  readonly Name: string;
  readonly Names: readonly string[];
  readonly AccountId: string | null;
  readonly Type: string | null;
};

export type WireAnnotationValue = {
  readonly NumberValue: number | null;
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

export type WireTraceSummary = {
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
  /** openray: some segment or subsegment of the trace, not the root alone. */
  readonly AnyFault: boolean;
  readonly AnyError: boolean;
  readonly AnyThrottle: boolean;
  /** openray: how much has arrived. */
  readonly SegmentCount: number;
  readonly SubsegmentCount: number;
};

export type GetTraceSummariesRequest = {
  readonly StartTime: number;
  readonly EndTime: number;
  readonly TimeRangeType?: 'TraceId' | 'Event' | 'Service';
  readonly FilterExpression?: string;
  readonly Sampling?: boolean;
  readonly SamplingStrategy?: {
    readonly Name?: 'PartialScan' | 'FixedRate';
    readonly Value?: number /** openray: only traces of the group. */;
    readonly GroupName?: string;
    readonly GroupARN?: string;
  };
  readonly NextToken?: string | null;
};

export type GetTraceSummariesResponse = {
  readonly TraceSummaries: readonly WireTraceSummary[];
  readonly ApproximateTime: number;
  readonly TracesProcessedCount: number;
  /** openray: documents that arrived before this time are gone, and the window begins before it. */
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
  /** openray: documents that arrived before this time are gone, and the window begins before it. */
  readonly PrunedBefore?: number;
  readonly NextToken: null;
};

export type GetTraceGraphRequest = { readonly TraceIds: readonly string[] };
export type GetTraceGraphResponse = { readonly Services: readonly WireService[]; readonly NextToken: null };

export type BatchGetTracesRequest = { readonly TraceIds: readonly string[] };
export type WireTrace = {
  readonly Id: string;
  readonly Duration: number | null;
  readonly LimitExceeded: boolean;
  readonly Segments: readonly { readonly Id: string; readonly Document: string }[];
  /** openray: subsegments whose parent has not arrived, as documents. */
  readonly Orphans?: readonly { readonly Id: string; readonly Document: string }[];
  /** openray: what OpenTelemetry spans say happened in them, by time. */
  readonly Events?: readonly WireSpanEvent[];
  /** openray: documents that arrived before this time are gone, and the trace began before it. */
  readonly PrunedBefore?: number;
};
/** An event of the span `Id`; `Time` in epoch seconds. */
export type WireSpanEvent = { readonly Id: string; readonly Time: number; readonly Name: string };
export type BatchGetTracesResponse = {
  readonly Traces: readonly WireTrace[];
  readonly UnprocessedTraceIds: readonly string[];
  readonly NextToken: null;
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
  /** openray: documents that arrived before this time are gone, and the window begins before it. */
  readonly PrunedBefore?: number;
  readonly NextToken: null;
};

export type WireGroup = {
  readonly GroupName: string;
  readonly GroupARN: string;
  /** `Default` has none. */
  readonly FilterExpression?: string;
  readonly InsightsConfiguration: { readonly InsightsEnabled: boolean; readonly NotificationsEnabled: boolean };
};
/** Of CreateGroup and UpdateGroup; the latter leaves what is left out as it is. */
export type GroupRequest = { readonly GroupName: string; readonly FilterExpression?: string };
/** Of CreateGroup, GetGroup and UpdateGroup. */
export type GroupResponse = { readonly Group: WireGroup };
export type GetGroupsResponse = { readonly Groups: readonly WireGroup[]; readonly NextToken: null };

/** Every error: the code also travels in the header `x-amzn-errortype`. */
export type WireError = { readonly __type: string; readonly Message: string };

/** Of openray's own WaitForTrace. */
export type WaitForTraceResponse = {
  /** The trace that was waited for or, when the time was over, the nearest to it; null for none. */
  readonly TraceId: string | null;
  readonly Found: boolean;
  /** What is still to come of it, one sentence each. */
  readonly Missing: readonly string[];
  /** In the order of their arrival, as they are stored: `xray` as it was sent, `otlp` with its resource and scope. */
  readonly Documents: readonly { readonly Format: 'xray' | 'otlp' | 'otlp-log'; readonly Body: string }[];
};

export type GetTraceSummaryRequest = { readonly TraceId: string };

/** Of openray's own GetTraceSummary. */
export type GetTraceSummaryResponse = {
  readonly TraceSummary: WireTraceSummary;
  /** Documents that arrived before this time are gone, and the trace began before it. */
  readonly PrunedBefore?: number;
};

export type GetSpanRequest = { readonly TraceId: string; readonly Id: string };

/** Of openray's own GetSpan. */
export type GetSpanResponse = {
  /** `xray`: it came as a segment document, and this is the span that holds all of it. */
  readonly SentAs: 'otlp' | 'xray';
  /** The one span with its resource and scope, as OTLP/JSON. */
  readonly ResourceSpans: readonly ResourceSpans[];
  /** Log records that tell of exceptions of the span. */
  readonly LogRecords: readonly LogRecord[];
};

export type { AnyValue, KeyValue, LogRecord, ResourceSpans, SpanEvent, SpanLink } from '../model/otlp/types.ts';

/** Of openray's own GetFunctionLogs. */
export type WireLogEvent = {
  readonly FunctionName: string;
  readonly Time: number;
  /** The same in whole microseconds, for going on behind it. */
  readonly AtUs: number;
  readonly TraceId: string | null;
  readonly RequestId: string | null;
  readonly LogGroup: string;
  readonly LogStream: string;
  readonly Source: 'platform' | 'function' | 'extension';
  readonly Level: string | null;
  readonly Text: string;
  /** Of a line in CloudWatch's embedded metric format. */
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
  /** Only what is behind this event of an earlier answer. */
  readonly AfterUs?: number;
  readonly TraceId?: string;
  readonly RequestId?: string;
  readonly FunctionName?: string;
  readonly Contains?: string;
  readonly Limit?: number;
};

export type GetFunctionLogsResponse = {
  readonly Events: readonly WireLogEvent[];
  /** False when the limit cut it off. */
  readonly IsComplete: boolean;
};

export type WireCount = { readonly Reason: string; readonly Count: number };

/** Of openray's own GetServerStatus. Counters of this server since it started; the store is everybody's. */
export type GetServerStatusResponse = {
  readonly Time: number;
  /** When the server started. */
  readonly StartTime: number;
  /** By door; `Received = Stored + Queued + Rejected + Dropped`. */
  readonly Documents: readonly {
    readonly Door: string;
    readonly Received: number;
    readonly Stored: number;
    readonly Queued: number;
    readonly Rejected: number;
    readonly Dropped: number;
  }[];
  /** Why documents were rejected and dropped, over all doors, the commonest first. */
  readonly Rejections: readonly WireCount[];
  readonly Drops: readonly WireCount[];
  /** UDP packets; `Received = Read + Dropped`. */
  readonly Datagrams: { readonly Received: number; readonly Read: number; readonly Dropped: readonly WireCount[] };
  /** By backend that documents are forwarded to; `Received = Sent + Queued + Rejected + Dropped`. */
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
    /** Other servers may be on it, too. */
    readonly IsShared: boolean;
    readonly Documents: number;
    readonly Bytes: number;
    readonly FreeBytes: number | null;
    /** The first day of which something is kept. */
    readonly OldestDay: number | null;
    /** Some of the documents that arrived before this time are gone. */
    readonly PrunedBefore: number | null;
    /** Null: no limit. */
    readonly RetentionDays: number | null;
    /** `7d service("ping")`: the first that matches a trace says how long it is kept. */
    readonly RetentionRules: readonly string[];
    readonly RetentionMaxBytes: number | null;
    readonly QueuedBytes: number;
    readonly QueueMaxBytes: number;
  };
};
