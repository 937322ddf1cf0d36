import { batchGetTraces } from './batch-get-traces.ts';
import { createGroup } from './create-group.ts';
import { deleteGroup } from './delete-group.ts';
import { getFunctionLogs, putFunctionLogs } from './function-logs.ts';
import { getGroup } from './get-group.ts';
import { getGroups } from './get-groups.ts';
import { getSamplingRules } from './get-sampling-rules.ts';
import { getSamplingTargets } from './get-sampling-targets.ts';
import { getServerStatus } from './get-server-status.ts';
import { getServiceGraph } from './get-service-graph.ts';
import { getSpan } from './get-span.ts';
import { getTimeSeriesServiceStatistics } from './get-time-series-service-statistics.ts';
import { getTraceGraph } from './get-trace-graph.ts';
import { getTraceSummaries } from './get-trace-summaries.ts';
import type { Operation } from './operation.ts';
import { putTelemetryRecords } from './put-telemetry-records.ts';
import { putTraceSegments } from './put-trace-segments.ts';
import { updateGroup } from './update-group.ts';
import { waitForTrace } from './wait-for-trace.ts';

/** Every operation that openray answers: X-Ray's, and a few of its own. */
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
];
