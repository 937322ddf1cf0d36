import { formatTraceHeader } from '../../model/trace-header.ts';
import { formatTraceId } from '../../model/trace-id.ts';
import type { ExtensionStateChange } from '../runtime/extensions-api.ts';
import { failureMessage, type PlatformFailure } from '../runtime/failures.ts';
import type { LoggingSpec, LogLevel } from '../spec/function-spec.ts';
import type { TraceDecision } from '../tracing/sampling-decision.ts';

/**
 * The lines that Lambda writes around a function's own. Each is one log event without its final newline; REPORT and
 * XRAY are one event of two lines. Text lines end with a tab, as on AWS.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html
 */
export type Report = {
  readonly requestId: string;
  readonly durationUs: number;
  /** Only on the first invocation of an environment whose initialisation succeeded before it. */
  readonly initDurationUs: number | undefined;
  readonly memoryMb: number;
  readonly maxMemoryUsedMb: number;
  readonly status: 'success' | 'timeout' | 'error' | 'failure';
  readonly errorType: string | undefined;
  /** A timeout is billed as the configured time. */
  readonly timeoutMs: number;
  readonly trace: TraceDecision;
};

/** Before August 2025 the initialisation of managed runtimes was not billed. */
export type Billing = 'withInit' | 'withoutInit';

/** Whole milliseconds. A timeout bills the configured time. */
export function billedMs(report: Report, billing: Billing = 'withInit'): number {
  if (report.status === 'timeout') return report.timeoutMs;
  const initUs = billing === 'withInit' ? (report.initDurationUs ?? 0) : 0;
  // Adds hundredths of a millisecond, the printed precision, so that the printed durations add up to the billed one.
  return Math.ceil((Math.round(report.durationUs / 10) + Math.round(initUs / 10)) / 100);
}

export function initStartLine(runtimeVersion: string, runtimeVersionArn: string): string {
  return `INIT_START Runtime Version: ${runtimeVersion}\tRuntime Version ARN: ${runtimeVersionArn}`;
}

/** Only for an initialisation that failed or timed out. */
export function initReportLine(durationUs: number, status: 'timeout' | 'error', errorType?: string): string {
  const type = errorType === undefined ? '' : `\tError Type: ${errorType}`;
  return `INIT_REPORT Init Duration: ${millis(durationUs)} ms\tPhase: init\tStatus: ${status}${type}`;
}

export function startLine(requestId: string, version = '$LATEST'): string {
  return `START RequestId: ${requestId} Version: ${version}`;
}

export function endLine(requestId: string): string {
  return `END RequestId: ${requestId}`;
}

export function reportLines(report: Report, billing: Billing = 'withInit'): string {
  const fields = [
    `REPORT RequestId: ${report.requestId}`,
    `Duration: ${millis(report.durationUs)} ms`,
    `Billed Duration: ${billedMs(report, billing)} ms`,
    `Memory Size: ${report.memoryMb} MB`,
    `Max Memory Used: ${report.maxMemoryUsedMb} MB`,
    ...(report.initDurationUs === undefined ? [] : [`Init Duration: ${millis(report.initDurationUs)} ms`]),
    ...(report.status === 'timeout' ? ['Status: timeout'] : []),
    ...(report.status === 'error' ? ['Status: error', `Error Type: ${report.errorType ?? 'Runtime.Unknown'}`] : []),
  ];
  const line = `${fields.join('\t')}\t`;
  // Lambda prints this line only when it wrote a segment: not when unsampled, and not with PassThrough.
  return report.trace.ids === undefined ? line : `${line}\n${xrayLine(report.trace)}`;
}

/** The platform's line about an invocation that it ended; it comes before END. */
export function failureLines(failure: PlatformFailure, requestId: string, atUs: number): string {
  if (failure.kind === 'timeout') return `${isoTime(atUs)} ${requestId} ${failure.message}\n`;
  return `${failureMessage(failure, requestId)}\n${failure.errorType}`;
}

function xrayLine(trace: TraceDecision): string {
  return `XRAY TraceId: ${formatTraceId(trace.traceId)}\tSegmentId: ${trace.ids?.function}\tSampled: ${trace.isSampled}\t`;
}

/** A record of the platform. JSON logging writes it when its level is high enough. */
export type PlatformRecord = {
  readonly type: string;
  readonly level: LogLevel;
  readonly record: object;
};

const LEVELS: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** One line of JSON; undefined when the level is below the function's `SystemLogLevel`. */
export function platformLine({ type, level, record }: PlatformRecord, logging: LoggingSpec, atUs: number) {
  if (LEVELS.indexOf(level) < LEVELS.indexOf(logging.systemLevel)) return undefined;
  return JSON.stringify({ time: isoTime(atUs), type, record });
}

export type InitRecord = {
  readonly runtimeVersion: string;
  readonly runtimeVersionArn: string;
  readonly functionName: string;
  readonly instanceId: string;
  readonly memoryMb: number;
};

export function initStartRecord(init: InitRecord): PlatformRecord {
  return {
    type: 'platform.initStart',
    level: 'DEBUG',
    record: {
      initializationType: 'on-demand',
      phase: 'init',
      runtimeVersion: init.runtimeVersion,
      runtimeVersionArn: init.runtimeVersionArn,
      functionName: init.functionName,
      functionVersion: '$LATEST',
      instanceId: init.instanceId,
      instanceMaxMemory: init.memoryMb * 1024 * 1024,
    },
  };
}

export function initReportRecord(
  durationUs: number,
  status: 'success' | 'timeout' | 'error',
  errorType?: string,
): PlatformRecord {
  return {
    type: 'platform.initReport',
    level: status === 'success' ? 'DEBUG' : 'WARN',
    record: {
      initializationType: 'on-demand',
      phase: 'init',
      status,
      ...(errorType === undefined ? {} : { errorType }),
      metrics: { durationMs: durationUs / 1000 },
    },
  };
}

export function initRuntimeDoneRecord(status: 'success' | 'timeout' | 'error', errorType?: string): PlatformRecord {
  return {
    type: 'platform.initRuntimeDone',
    level: status === 'success' ? 'DEBUG' : 'WARN',
    record: {
      initializationType: 'on-demand',
      phase: 'init',
      status,
      ...(errorType === undefined ? {} : { errorType }),
    },
  };
}

/** The record, and the line in text format. */
export function extensionStateRecord(change: ExtensionStateChange): readonly [PlatformRecord, () => string] {
  const { name } = change;
  switch (change.kind) {
    case 'registered': {
      const { events } = change;
      const record = { name, state: 'Ready', events };
      const line = () => `EXTENSION\tName: ${name}\tState: Ready\tEvents: [${events.join(', ')}]`;
      return [{ type: 'platform.extension', level: 'INFO', record }, line];
    }
    case 'subscribed': {
      const { types } = change;
      const named = types.map((type) => type.charAt(0).toUpperCase() + type.slice(1)).join(', ');
      const record = { name, state: 'Subscribed', types };
      const line = () => `TELEMETRY\tName: ${name}\tState: Subscribed\tTypes: [${named}]`;
      return [{ type: 'platform.telemetrySubscription', level: 'INFO', record }, line];
    }
  }
}

export function startRecord(requestId: string, functionArn: string, trace: TraceDecision): PlatformRecord {
  return {
    type: 'platform.start',
    level: 'INFO',
    record: { requestId, functionArn, version: '$LATEST', ...tracing(trace, 'start') },
  };
}

export type ResponsePhase = { readonly name: string; readonly startUs: number; readonly endUs: number };

export function runtimeDoneRecord(
  report: Report,
  producedBytes: number,
  phases: readonly ResponsePhase[] = [],
): PlatformRecord {
  return {
    type: 'platform.runtimeDone',
    level: report.status === 'success' ? 'DEBUG' : 'WARN',
    record: {
      requestId: report.requestId,
      status: report.status,
      ...(report.errorType === undefined ? {} : { errorType: report.errorType }),
      metrics: { durationMs: report.durationUs / 1000, producedBytes },
      ...tracing(report.trace, 'runtimeDone'),
      ...(phases.length === 0 ? {} : { spans: phases.map(phaseRecord) }),
    },
  };
}

export function reportRecord(report: Report): PlatformRecord {
  return {
    type: 'platform.report',
    level: report.status === 'success' ? 'INFO' : 'WARN',
    record: {
      requestId: report.requestId,
      metrics: {
        durationMs: report.durationUs / 1000,
        billedDurationMs: billedMs(report),
        memorySizeMB: report.memoryMb,
        maxMemoryUsedMB: report.maxMemoryUsedMb,
        ...(report.initDurationUs === undefined ? {} : { initDurationMs: report.initDurationUs / 1000 }),
      },
      ...tracing(report.trace, 'report'),
      status: report.status,
      ...(report.errorType === undefined ? {} : { errorType: report.errorType }),
    },
  };
}

function phaseRecord({ name, startUs, endUs }: ResponsePhase): object {
  return { name, start: isoTime(startUs), durationMs: Math.max(0, endUs - startUs) / 1000 };
}

/** The id of the record's segment or subsegment, and a header with its parent. Empty for an unrecorded trace. */
function tracing(trace: TraceDecision, record: 'start' | 'runtimeDone' | 'report'): object {
  const { ids, header } = trace;
  if (ids === undefined) return {};
  const hasPhaseSubsegments = header.parent === ids.invocation;
  const isInvocation = hasPhaseSubsegments && record === 'runtimeDone';
  const parent = isInvocation ? ids.function : ids.service;
  const value = formatTraceHeader({ ...header, parent });
  return { tracing: { spanId: isInvocation ? ids.invocation : ids.function, type: 'X-Amzn-Trace-Id', value } };
}

export const TAIL_BYTES = 4096;

/** The last 4 KB of a log. Starts at a line if one begins there, and never inside of a character. */
export function logTail(log: string): string {
  const bytes = Buffer.from(log);
  if (bytes.length <= TAIL_BYTES) return log;
  let start = bytes.length - TAIL_BYTES;
  const lineEnd = bytes.indexOf(0x0a, start - 1);
  if (lineEnd >= 0 && lineEnd < bytes.length - 1) start = lineEnd + 1;
  else while (((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return bytes.subarray(start).toString();
}

/** Milliseconds with two decimals, from whole microseconds. */
function millis(us: number): string {
  return (Math.round(us / 10) / 100).toFixed(2);
}

/** ISO 8601 with milliseconds. */
export function isoTime(us: number): string {
  return new Date(us / 1000).toISOString();
}

/** Parses a text that is a JSON object; any other text stays text. */
export function asJson(text: string): unknown {
  if (!text.startsWith('{')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
