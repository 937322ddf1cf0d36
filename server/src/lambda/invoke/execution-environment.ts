import { findExtensions } from '../runtime/extension-processes.ts';
import { entrypointFailure, timeoutFailure } from '../runtime/failures.ts';
import type { RuntimeCommand } from '../runtime/interpreters.ts';
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
import * as platformLog from './platform-log.ts';

export type ExecutionEnvironmentOptions = {
  readonly spec: FunctionSpec;
  readonly functionArn: string;
  readonly accountId: string;
  /** The command of the runtime, or the reason why there is none. */
  readonly runtimeCommand: RuntimeCommand;
  readonly codeDir: string;
  readonly environmentVariables: Readonly<Record<string, string>>;
  readonly logStream: string;
  readonly initTimeoutMs: number;
  /** Stops all processes between invocations. */
  readonly freezesWhenIdle: boolean;
  readonly runtimeVersion: { readonly version: string; readonly arn: string };
  readonly onLogEvent: (event: FunctionLogEvent) => void;
};

/** One attempt at one event. */
export type Attempt = {
  readonly requestId: string;
  readonly invokedArn: string;
  readonly payload: Buffer;
  readonly clientContext: string | undefined;
  readonly trace: TraceDecision;
  readonly onChunk: OnChunk | undefined;
  /** Called just before the runtime receives the event. */
  readonly onStart: (startUs: number) => void;
};

export type AttemptResult = {
  readonly payload: Buffer;
  readonly isFunctionError: boolean;
  /** The lines from START to XRAY, the function's own among them. */
  readonly log: string;
  readonly report: platformLog.Report;
  readonly timings: SegmentTimings;
};

/**
 * A function's environment from its cold start on: a sandbox, its log stream, and Lambda's rules about both.
 * Runs one attempt at a time. After a failure of the sandbox it is no longer usable; its owner has to stop it.
 */
export class ExecutionEnvironment {
  readonly #options: ExecutionEnvironmentOptions;
  #sandbox: Sandbox | undefined;
  #telemetry: Telemetry = openTelemetry();
  #isUsable = true;
  /** The extensions receive it with SHUTDOWN. */
  #shutdownReason: ShutdownReason = 'spindown';
  #attempt: Attempt | undefined;
  #log: InvocationLog | undefined;

  constructor(options: ExecutionEnvironmentOptions) {
    this.#options = options;
  }

  /** Also false when the process died while it was idle. */
  get isUsable(): boolean {
    return this.#isUsable && (this.#sandbox === undefined || this.#sandbox.isAlive);
  }

  /** Runs one attempt; a cold start initialises the sandbox first. Failures of the function are results. */
  async run(attempt: Attempt): Promise<AttemptResult> {
    this.#attempt = attempt;
    this.#log = openInvocationLog();
    if (this.#options.freezesWhenIdle) this.#freeze(false);
    const outcome = await this.#runPhases(attempt);
    const result = this.#logReport(attempt, outcome);
    this.#attempt = undefined;
    this.#log = undefined;
    if (outcome.sandboxFailure !== undefined || outcome.invokePhase === undefined) {
      this.#isUsable = false;
      this.#shutdownReason = outcome.sandboxFailure?.kind === 'timeout' ? 'timeout' : 'failure';
    } else if (this.#options.freezesWhenIdle) {
      this.#freeze(true);
    }
    return result;
  }

  #freeze(isFrozen: boolean): void {
    this.#sandbox?.freeze(isFrozen);
  }

  /** Ends all processes: at once, or with extensions after their shutdown phase. */
  async stop(): Promise<void> {
    this.#isUsable = false;
    await this.#stopSandbox(this.#shutdownReason);
  }

  async #stopSandbox(reason: ShutdownReason): Promise<void> {
    await this.#sandbox?.stop(reason);
  }

  /** Ends all processes without waiting, for the exit of the host process. */
  kill(): void {
    this.#isUsable = false;
    this.#sandbox?.kill();
  }

  async #runPhases(attempt: Attempt): Promise<InvocationOutcome> {
    const { spec, initTimeoutMs } = this.#options;
    let init: InitPhaseOutcome | undefined;
    let isSuppressedInit = false;
    if (this.#sandbox === undefined) {
      init = await this.#initialise(initTimeoutMs);
      this.#reportInit(init);
      if (init.kind === 'timedOut') {
        // Lambda initialises once more, within the timeout of the invocation.
        isSuppressedInit = true;
        await this.#stopSandbox('timeout');
      }
    }
    const startUs = nowUs();
    attempt.onStart(startUs);
    this.#logPlatform(platformLog.startRecord(attempt.requestId, this.#options.functionArn, attempt.trace), () =>
      platformLog.startLine(attempt.requestId),
    );
    if (isSuppressedInit) init = await this.#initialise(spec.timeoutMs);

    const common = { startUs, init, isSuppressedInit, invokePhase: undefined };
    if (init !== undefined && init.kind !== 'ready') {
      const failure: InvocationFailure =
        init.kind === 'failed'
          ? { reportedBy: 'runtime', failure: init.failure }
          : { reportedBy: 'platform', failure: init.kind === 'exited' ? init.failure : timeoutFailure(spec.timeoutMs) };
      const sandboxFailure = failure.reportedBy === 'platform' ? failure.failure : undefined;
      const payload = errorPayload(failure, attempt.requestId);
      return { ...common, endUs: nowUs(), sandboxFailure, failure, payload };
    }
    return { ...common, ...(await this.#invoke(attempt, startUs)) };
  }

  async #initialise(timeoutMs: number): Promise<InitPhaseOutcome> {
    const { spec, runtimeVersion, logStream, runtimeCommand, codeDir, environmentVariables } = this.#options;
    const { version, arn } = runtimeVersion;
    this.#telemetry = openTelemetry();
    const record = platformLog.initStartRecord({
      runtimeVersion: version,
      runtimeVersionArn: arn,
      functionName: spec.name,
      instanceId: logStream.slice(-32),
      memoryMb: spec.memoryMb,
    });
    // It belongs to the log stream, but not to the log of the invocation.
    this.#logPlatform(record, () => platformLog.initStartLine(version, arn), { isInTail: false });
    if (!runtimeCommand.ok) {
      const atUs = nowUs();
      return { kind: 'exited', startUs: atUs, endUs: atUs, failure: entrypointFailure(runtimeCommand.reason) };
    }
    this.#sandbox = await Sandbox.start({
      command: runtimeCommand.command,
      cwd: codeDir,
      env: environmentVariables,
      onLine: (text) => this.#logEvent('function', text),
      extensions: {
        functionName: spec.name,
        handler: spec.handler,
        accountId: this.#options.accountId,
        external: findExtensions(spec.layerDirs),
        telemetry: this.#telemetry,
        onLine: (text) => this.#logEvent('extension', text),
        onStateChange: (change) => this.#logPlatform(...platformLog.extensionStateRecord(change)),
      },
    });
    return this.#sandbox.waitForInit(timeoutMs);
  }

  /** In text format only a failed initialisation has a line. */
  #reportInit(init: InitPhaseOutcome): void {
    const durationUs = init.endUs - init.startUs;
    if (init.kind === 'ready') {
      this.#logPlatform(platformLog.initRuntimeDoneRecord('success'));
      this.#logPlatform(platformLog.initReportRecord(durationUs, 'success'));
      return;
    }
    const result = init.kind === 'timedOut' ? 'timeout' : 'error';
    const errorType = init.kind === 'timedOut' ? undefined : (init.failure.errorType ?? 'Runtime.Unknown');
    this.#logPlatform(platformLog.initRuntimeDoneRecord(result, errorType));
    this.#logPlatform(platformLog.initReportRecord(durationUs, result, errorType), () =>
      platformLog.initReportLine(durationUs, result, errorType),
    );
  }

  async #invoke(
    attempt: Attempt,
    startUs: number,
  ): Promise<Pick<InvocationOutcome, 'endUs' | 'invokePhase' | 'sandboxFailure' | 'failure' | 'payload'>> {
    const { timeoutMs } = this.#options.spec;
    const remainingMs = Math.max(1, timeoutMs - (nowUs() - startUs) / 1000);
    const invocation = {
      requestId: attempt.requestId,
      // The function compares it with the wall clock, from which `nowUs` may differ by 50 ms.
      deadlineMs: Math.floor(Date.now() + remainingMs),
      functionArn: attempt.invokedArn,
      traceHeader: headerText(attempt.trace),
      clientContext: attempt.clientContext,
      payload: attempt.payload,
      onChunk: attempt.onChunk,
    };
    const invokePhase = await (this.#sandbox as Sandbox).invoke(invocation, remainingMs, timeoutMs);
    const { end, endUs, completion } = invokePhase;
    const sandboxFailure = end.kind === 'ready' ? undefined : end.failure;
    const failure = failureOf(invokePhase, sandboxFailure);
    const payload =
      failure !== undefined
        ? errorPayload(failure, attempt.requestId)
        : completion?.kind === 'response'
          ? completion.payload
          : Buffer.alloc(0);
    return { endUs, invokePhase, sandboxFailure, failure, payload };
  }

  #logReport({ requestId, trace }: Attempt, outcome: InvocationOutcome): AttemptResult {
    const { spec } = this.#options;
    const { init, isSuppressedInit, failure, sandboxFailure } = outcome;
    const atUs = nowUs();
    const report: platformLog.Report = {
      requestId,
      durationUs: reportedDurationUs(outcome, spec.timeoutMs),
      initDurationUs: init === undefined || isSuppressedInit ? undefined : init.endUs - init.startUs,
      memoryMb: spec.memoryMb,
      maxMemoryUsedMb: this.#sandbox?.peakMemoryMb ?? 0,
      ...reportedStatus(outcome),
      timeoutMs: spec.timeoutMs,
      trace,
    };
    const platformFailure = sandboxFailure ?? (failure?.reportedBy === 'platform' ? failure.failure : undefined);
    if (platformFailure !== undefined && spec.logging.format === 'Text') {
      this.#logEvent('platform', platformLog.failureLines(platformFailure, requestId, atUs));
    }
    this.#logPlatform(platformLog.runtimeDoneRecord(report, outcome.payload.length, responsePhases(outcome)), () =>
      platformLog.endLine(requestId),
    );
    this.#logPlatform(platformLog.reportRecord(report), () => platformLog.reportLines(report));
    return {
      payload: outcome.payload,
      isFunctionError: failure !== undefined,
      log: this.#log?.text() ?? '',
      report,
      timings: segmentTimings(outcome, requestId, spec.timeoutMs),
    };
  }

  /** Logs one record of the platform in the function's log format. Some records have no line in text format. */
  #logPlatform(
    record: platformLog.PlatformRecord,
    text: () => string | undefined = () => undefined,
    { isInTail = true } = {},
  ): void {
    const { logging } = this.#options.spec;
    const atUs = nowUs();
    const { type, record: body } = record;
    this.#telemetry.emit({ kind: 'platform', time: platformLog.isoTime(atUs), type, record: body });
    const line = logging.format === 'JSON' ? platformLog.platformLine(record, logging, atUs) : text();
    if (line !== undefined) this.#logEvent('platform', line, isInTail);
  }

  #logEvent(source: FunctionLogEvent['source'], text: string, isInTail = true): void {
    const { spec, logStream, onLogEvent } = this.#options;
    if (isInTail) this.#log?.add(text);
    const atUs = nowUs();
    if (source !== 'platform') {
      const record = spec.logging.format === 'JSON' ? platformLog.asJson(text) : text;
      this.#telemetry.emit({ kind: source, time: platformLog.isoTime(atUs), type: source, record });
    }
    onLogEvent({
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
