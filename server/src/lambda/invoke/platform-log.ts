import { formatTraceHeader } from '../../model/trace-header.ts';
import { formatTraceId } from '../../model/trace-id.ts';
import type { ExtensionStateChange } from '../runtime/extensions-api.ts';
import { failureMessage, type PlatformFailure } from '../runtime/failures.ts';
import type { LoggingSpec, LogLevel } from '../spec/function-spec.ts';
import type { TraceDecision } from '../tracing/sampling-decision.ts';

/**
 * The lines Lambda itself writes around a function's own. Each is one log event without its final newline; REPORT
 * and XRAY are one event of two lines. Text lines end with a tab, as AWS's do.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html
 */
export type Report = {
  readonly requestId: string;
  readonly durationUs: number;
  /** Only on the first invocation of an environment that was initialised ahead of it. */
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

/** Whole milliseconds. A timeout bills the configured time, whatever the clock says. */
export function billedMs(report: Report, billing: Billing = 'withInit'): number {
  if (report.status === 'timeout') return report.timeoutMs;
  const initUs = billing === 'withInit' ? (report.initDurationUs ?? 0) : 0;
  // In hundredths of a millisecond, the precision that is printed: what the line adds up to is what it bills.
  return Math.ceil((Math.round(report.durationUs / 10) + Math.round(initUs / 10)) / 100);
}

export function initStartLine(runtimeVersion: string, runtimeVersionArn: string): string {
  return `INIT_START Runtime Version: ${runtimeVersion}\tRuntime Version ARN: ${runtimeVersionArn}`;
}

/** Only for an initialisation that failed or was cut off. */
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
  // Lambda prints the line only for what it recorded itself; unsampled and PassThrough have no segment to name.
  return report.trace.ids === undefined ? line : `${line}\n${xrayLine(report.trace)}`;
}

/** What the platform says when it ended an invocation itself; it stands before END. */
export function failureLines(failure: PlatformFailure, requestId: string, atUs: number): string {
  if (failure.kind === 'timeout') return `${isoTime(atUs)} ${requestId} ${failure.message}\n`;
  return `${failureMessage(failure, requestId)}\n${failure.errorType}`;
}

function xrayLine(trace: TraceDecision): string {
  return `XRAY TraceId: ${formatTraceId(trace.traceId)}\tSegmentId: ${trace.ids?.function}\tSampled: ${trace.isSampled}\t`;
}

/** What a platform record says in JSON logging, before it is known whether it is written. */
export type PlatformRecord = {
  readonly type: string;
  readonly level: LogLevel;
  readonly record: object;
};

const LEVELS: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** One line of JSON, or undefined when the function's `SystemLogLevel` leaves it out. */
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

/** The record and the line of the text form. */
export function extensionStateRecord(news: ExtensionStateChange): readonly [PlatformRecord, () => string] {
  const { name } = news;
  switch (news.kind) {
    case 'registered': {
      const { events } = news;
      const record = { name, state: 'Ready', events };
      const line = () => `EXTENSION\tName: ${name}\tState: Ready\tEvents: [${events.join(', ')}]`;
      return [{ type: 'platform.extension', level: 'INFO', record }, line];
    }
    case 'subscribed': {
      const { types } = news;
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
  spans: readonly ResponsePhase[] = [],
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
      ...(spans.length === 0 ? {} : { spans: spans.map(phaseRecord) }),
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

/** The span that the record is about, and the header with the span above it; nothing for what is not recorded. */
function tracing(trace: TraceDecision, record: 'start' | 'runtimeDone' | 'report'): object {
  const { ids, header } = trace;
  if (ids === undefined) return {};
  const isClassic = header.parent === ids.invocation;
  const isInvocation = isClassic && record === 'runtimeDone';
  const parent = isInvocation ? ids.function : ids.service;
  const value = formatTraceHeader({ ...header, parent });
  return { tracing: { spanId: isInvocation ? ids.invocation : ids.function, type: 'X-Amzn-Trace-Id', value } };
}

export const TAIL_BYTES = 4096;

/** The last 4 KB of a log, from the start of a line where one begins in there, and never from inside a character. */
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

/** With milliseconds. */
export function isoTime(us: number): string {
  return new Date(us / 1000).toISOString();
}

/** The text as JSON where it is a JSON object, else as it is. */
export function asJson(text: string): unknown {
  if (!text.startsWith('{')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
