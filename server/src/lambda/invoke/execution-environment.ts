import { findExtensions } from '../runtime/extension-processes.ts';
import { entrypointFailure, timeoutFailure } from '../runtime/failures.ts';
import type { RuntimeCommand } from '../runtime/runtime-command.ts';
import { type InitPhaseOutcome, Sandbox, type ShutdownReason } from '../runtime/sandbox.ts';
import { openTelemetry, type Telemetry } from '../runtime/telemetry.ts';
import type { FunctionSpec } from '../spec/function-spec.ts';
import type { OnChunk } from '../spec/lambda-client.ts';
import { nowUs } from '../tracing/clock.ts';
import { headerText, type TraceDecision } from '../tracing/sampling-decision.ts';
import type { FunctionLogEvent } from './function-log-event.ts';
import { type InvocationLog, openInvocationLog } from './invocation-log.ts';
import {
  errorPayload,
  failureOf,
  type InvocationFailure,
  type InvocationOutcome,
  reportedDurationUs,
  reportedStatus,
  responsePhases,
  type SegmentTimings,
  segmentTimings,
} from './invocation-outcome.ts';
import * as lines from './platform-log.ts';

export type ExecutionEnvironmentOptions = {
  readonly spec: FunctionSpec;
  readonly functionArn: string;
  readonly accountId: string;
  /** What to start, or why nothing can be. */
  readonly runtimeCommand: RuntimeCommand;
  readonly codeDir: string;
  readonly environmentVariables: Readonly<Record<string, string>>;
  readonly logStream: string;
  readonly initTimeoutMs: number;
  /** Stop all processes between invocations. */
  readonly freezesWhenIdle: boolean;
  readonly runtimeVersion: { readonly version: string; readonly arn: string };
  readonly onLogEvent: (line: FunctionLogEvent) => void;
};

/** One attempt at one event. */
export type Attempt = {
  readonly requestId: string;
  readonly invokedArn: string;
  readonly payload: Buffer;
  readonly clientContext: string | undefined;
  readonly trace: TraceDecision;
  readonly onChunk: OnChunk | undefined;
  /** Called just before the event is handed out. */
  readonly onStart: (startUs: number) => void;
};

export type AttemptResult = {
  readonly payload: Buffer;
  readonly isFunctionError: boolean;
  /** START to XRAY, with the function's own lines. */
  readonly log: string;
  readonly report: lines.Report;
  readonly timings: SegmentTimings;
};

/**
 * A function's environment from its cold start on: a sandbox, its log stream, and the rules of Lambda about both.
 * Takes one job at a time. Once `isUsable` is false it has been stopped.
 */
export class ExecutionEnvironment {
  readonly #options: ExecutionEnvironmentOptions;
  #sandbox: Sandbox | undefined;
  #telemetry: Telemetry = openTelemetry();
  #isUsable = true;
  #attempt: Attempt | undefined;
  #log: InvocationLog | undefined;

  constructor(options: ExecutionEnvironmentOptions) {
    this.#options = options;
  }

  /** Also false when the process died while it had nothing to do. */
  get isUsable(): boolean {
    return this.#isUsable && (this.#sandbox === undefined || this.#sandbox.isAlive);
  }

  /** Runs one job, on a cold start with the initialisation before it. Failures of the function are results. */
  async run(job: Attempt): Promise<AttemptResult> {
    this.#attempt = job;
    this.#log = openInvocationLog();
    if (this.#options.freezesWhenIdle) this.#freeze(false);
    const course = await this.#runPhases(job);
    const result = this.#logReport(job, course);
    this.#attempt = undefined;
    this.#log = undefined;
    if (course.sandboxFailure !== undefined || course.invokePhase === undefined) {
      await this.stop(course.sandboxFailure?.kind === 'timeout' ? 'timeout' : 'failure');
    } else if (this.#options.freezesWhenIdle) {
      this.#freeze(true);
    }
    return result;
  }

  #freeze(isFrozen: boolean): void {
    this.#sandbox?.freeze(isFrozen);
  }

  async stop(reason: ShutdownReason = 'spindown'): Promise<void> {
    this.#isUsable = false;
    await this.#stopSandbox(reason);
  }

  async #stopSandbox(reason: ShutdownReason): Promise<void> {
    await this.#sandbox?.stop(reason);
  }

  /** Without waiting, for the moment in which the host itself exits. */
  kill(): void {
    this.#isUsable = false;
    this.#sandbox?.kill();
  }

  async #runPhases(job: Attempt): Promise<InvocationOutcome> {
    const { spec, initTimeoutMs } = this.#options;
    let init: InitPhaseOutcome | undefined;
    let isSuppressedInit = false;
    if (this.#sandbox === undefined) {
      init = await this.#initialise(initTimeoutMs);
      this.#reportInit(init);
      if (init.kind === 'timedOut') {
        // Lambda tries once more, inside the invocation and on its time.
        isSuppressedInit = true;
        await this.#stopSandbox('timeout');
      }
    }
    const startUs = nowUs();
    job.onStart(startUs);
    this.#logPlatform(lines.startRecord(job.requestId, this.#options.functionArn, job.trace), () =>
      lines.startLine(job.requestId),
    );
    if (isSuppressedInit) init = await this.#initialise(spec.timeoutMs);

    const course = { startUs, init, isSuppressedInit, invokePhase: undefined };
    if (init !== undefined && init.kind !== 'ready') {
      const failure: InvocationFailure =
        init.kind === 'failed'
          ? { reportedBy: 'runtime', failure: init.failure }
          : { reportedBy: 'platform', failure: init.kind === 'exited' ? init.failure : timeoutFailure(spec.timeoutMs) };
      const end = failure.reportedBy === 'platform' ? failure.failure : undefined;
      return { ...course, endUs: nowUs(), sandboxFailure: end, failure, payload: errorPayload(failure, job.requestId) };
    }
    return { ...course, ...(await this.#invoke(job, startUs)) };
  }

  async #initialise(timeoutMs: number): Promise<InitPhaseOutcome> {
    const {
      spec,
      runtimeVersion,
      logStream,
      runtimeCommand: start,
      codeDir,
      environmentVariables: variables,
    } = this.#options;
    const { version, arn } = runtimeVersion;
    this.#telemetry = openTelemetry();
    const record = lines.initStartRecord({
      runtimeVersion: version,
      runtimeVersionArn: arn,
      functionName: spec.name,
      instanceId: logStream.slice(-32),
      memoryMb: spec.memoryMb,
    });
    // Part of the log stream, but not of the invocation's tail.
    this.#logPlatform(record, () => lines.initStartLine(version, arn), { isInTail: false });
    if (!start.ok) {
      const atUs = nowUs();
      return { kind: 'exited', startUs: atUs, endUs: atUs, failure: entrypointFailure(start.reason) };
    }
    this.#sandbox = await Sandbox.start({
      command: start.command,
      cwd: codeDir,
      env: variables,
      onLine: (text) => this.#logEvent('function', text),
      extensions: {
        functionName: spec.name,
        handler: spec.handler,
        accountId: this.#options.accountId,
        external: findExtensions(spec.layerDirs),
        telemetry: this.#telemetry,
        onLine: (text) => this.#logEvent('extension', text),
        onStateChange: (news) => this.#logPlatform(...lines.extensionStateRecord(news)),
      },
    });
    return this.#sandbox.waitForInit(timeoutMs);
  }

  /** The text form speaks only of an initialisation that did not succeed. */
  #reportInit(init: InitPhaseOutcome): void {
    const durationUs = init.endUs - init.startUs;
    if (init.kind === 'ready') {
      this.#logPlatform(lines.initRuntimeDoneRecord('success'));
      this.#logPlatform(lines.initReportRecord(durationUs, 'success'));
      return;
    }
    const result = init.kind === 'timedOut' ? 'timeout' : 'error';
    const errorType = init.kind === 'timedOut' ? undefined : (init.failure.errorType ?? 'Runtime.Unknown');
    this.#logPlatform(lines.initRuntimeDoneRecord(result, errorType));
    this.#logPlatform(lines.initReportRecord(durationUs, result, errorType), () =>
      lines.initReportLine(durationUs, result, errorType),
    );
  }

  async #invoke(
    job: Attempt,
    startUs: number,
  ): Promise<Pick<InvocationOutcome, 'endUs' | 'invokePhase' | 'sandboxFailure' | 'failure' | 'payload'>> {
    const { timeoutMs } = this.#options.spec;
    const leftMs = Math.max(1, timeoutMs - (nowUs() - startUs) / 1000);
    const invocation = {
      requestId: job.requestId,
      deadlineMs: Math.ceil(nowUs() / 1000 + leftMs),
      functionArn: job.invokedArn,
      traceHeader: headerText(job.trace),
      clientContext: job.clientContext,
      payload: job.payload,
      onChunk: job.onChunk,
    };
    const outcome = await (this.#sandbox as Sandbox).invoke(invocation, leftMs, timeoutMs);
    const end = outcome.end.kind === 'ready' ? undefined : outcome.end.failure;
    const failure = failureOf(outcome, end);
    const payload =
      failure !== undefined
        ? errorPayload(failure, job.requestId)
        : outcome.completion?.kind === 'response'
          ? outcome.completion.payload
          : Buffer.alloc(0);
    return { endUs: outcome.endUs, invokePhase: outcome, sandboxFailure: end, failure, payload };
  }

  #logReport(job: Attempt, course: InvocationOutcome): AttemptResult {
    const { spec } = this.#options;
    const { failure, sandboxFailure: end } = course;
    const atUs = nowUs();
    const report: lines.Report = {
      requestId: job.requestId,
      durationUs: reportedDurationUs(course, spec.timeoutMs),
      initDurationUs:
        course.init === undefined || course.isSuppressedInit ? undefined : course.init.endUs - course.init.startUs,
      memoryMb: spec.memoryMb,
      maxMemoryUsedMb: this.#sandbox?.peakMemoryMb ?? 0,
      ...reportedStatus(course),
      timeoutMs: spec.timeoutMs,
      trace: job.trace,
    };
    const platform = end ?? (failure?.reportedBy === 'platform' ? failure.failure : undefined);
    if (platform !== undefined && spec.logging.format === 'Text') {
      this.#logEvent('platform', lines.failureLines(platform, job.requestId, atUs));
    }
    this.#logPlatform(lines.runtimeDoneRecord(report, course.payload.length, responsePhases(course)), () =>
      lines.endLine(job.requestId),
    );
    this.#logPlatform(lines.reportRecord(report), () => lines.reportLines(report));
    return {
      payload: course.payload,
      isFunctionError: failure !== undefined,
      log: this.#log?.text() ?? '',
      report,
      timings: segmentTimings(course, job.requestId, spec.timeoutMs),
    };
  }

  /** One record of the platform, in the function's log format; nothing where the text form has no such line. */
  #logPlatform(
    record: lines.PlatformRecord,
    text: () => string | undefined = () => undefined,
    { isInTail = true } = {},
  ): void {
    const { logging } = this.#options.spec;
    const atUs = nowUs();
    const { type, record: body } = record;
    this.#telemetry.emit({ kind: 'platform', time: lines.isoTime(atUs), type, record: body });
    const line = logging.format === 'JSON' ? lines.platformLine(record, logging, atUs) : text();
    if (line !== undefined) this.#logEvent('platform', line, isInTail);
  }

  #logEvent(source: FunctionLogEvent['source'], text: string, isInTail = true): void {
    const { spec, logStream, onLogEvent: onLine } = this.#options;
    if (isInTail) this.#log?.add(text);
    const atUs = nowUs();
    if (source !== 'platform') {
      const record = spec.logging.format === 'JSON' ? lines.asJson(text) : text;
      this.#telemetry.emit({ kind: source, time: lines.isoTime(atUs), type: source, record });
    }
    onLine({
      functionName: spec.name,
      logGroup: spec.logging.logGroup,
      logStream,
      requestId: this.#attempt?.requestId,
      trace: this.#attempt?.trace,
      source,
      atUs,
      text,
    });
  }
}
