import { getFunctionLogs, putFunctionLogs } from './openray/function-logs.ts';
import { getServerStatus } from './openray/get-server-status.ts';
import { getSpan } from './openray/get-span.ts';
import { getTraceSummary } from './openray/get-trace-summary.ts';
import { waitForTrace } from './openray/wait-for-trace.ts';
import type { Operation } from './operation.ts';
import { batchGetTraces } from './xray/batch-get-traces.ts';
import { createGroup } from './xray/create-group.ts';
import { deleteGroup } from './xray/delete-group.ts';
import { getGroup } from './xray/get-group.ts';
import { getGroups } from './xray/get-groups.ts';
import { getSamplingRules } from './xray/get-sampling-rules.ts';
import { getSamplingTargets } from './xray/get-sampling-targets.ts';
import { getServiceGraph } from './xray/get-service-graph.ts';
import { getTimeSeriesServiceStatistics } from './xray/get-time-series-service-statistics.ts';
import { getTraceGraph } from './xray/get-trace-graph.ts';
import { getTraceSummaries } from './xray/get-trace-summaries.ts';
import { putTelemetryRecords } from './xray/put-telemetry-records.ts';
import { putTraceSegments } from './xray/put-trace-segments.ts';
import { updateGroup } from './xray/update-group.ts';

/** Every operation: X-Ray's, and those of openray's own. */
export const operations: readonly Operation[] = [
  batchGetTraces,
  createGroup,
  deleteGroup,
  getGroup,
  getGroups,
  getSamplingRules,
  getSamplingTargets,
  getServiceGraph,
  getTimeSeriesServiceStatistics,
  getTraceGraph,
  getTraceSummaries,
  putTelemetryRecords,
  putTraceSegments,
  updateGroup,
  waitForTrace,
  putFunctionLogs,
  getFunctionLogs,
  getServerStatus,
  getSpan,
  getTraceSummary,
];
