import { findExtensions } from '../runtime/extension-processes.ts';
import { entrypointFailure, timeoutFailure } from '../runtime/failures.ts';
import type { Invocation } from '../runtime/runtime-api.ts';
import type { RuntimeCommand } from '../runtime/runtime-command.ts';
import { type InitOutcome, Sandbox, type ShutdownReason } from '../runtime/sandbox.ts';
import { openTelemetry, type Telemetry } from '../runtime/telemetry.ts';
import type { FunctionSpec } from '../spec/function-spec.ts';
import { nowUs } from '../tracing/clock.ts';
import { headerText, type TraceDecision } from '../tracing/sampling-decision.ts';
import { type InvocationLog, openInvocationLog } from './invocation-log.ts';
import {
  type Course,
  durationUs,
  type Failure,
  failureOf,
  payloadOf,
  type RunRecord,
  runOf,
  spansOf,
  status,
} from './invocation-outcome.ts';
import * as lines from './platform-log.ts';

/** One log event of a function. `text` has no final line end, and may have several lines. */
export type FunctionLine = {
  readonly functionName: string;
  readonly logGroup: string;
  readonly logStream: string;
  /** Absent for what is printed outside an invocation. */
  readonly requestId: string | undefined;
  readonly trace: TraceDecision | undefined;
  readonly source: 'platform' | 'function' | 'extension';
  readonly atUs: number;
  readonly text: string;
};

export type EnvironmentOptions = {
  readonly spec: FunctionSpec;
  readonly functionArn: string;
  readonly accountId: string;
  /** What to start, or why nothing can be. */
  readonly start: RuntimeCommand;
  readonly codeDir: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly logStream: string;
  readonly initTimeoutMs: number;
  /** Stop all processes between invocations. */
  readonly isFrozenIdle: boolean;
  readonly runtimeVersion: { readonly version: string; readonly arn: string };
  readonly onLine: (line: FunctionLine) => void;
};

/** One attempt at one event. */
export type Job = {
  readonly requestId: string;
  readonly invokedArn: string;
  readonly payload: Buffer;
  readonly clientContext: string | undefined;
  readonly trace: TraceDecision;
  readonly onChunk?: Invocation['onChunk'];
  /** Called just before the event is handed out. */
  readonly onStart: (startUs: number) => void;
};

export type JobResult = {
  readonly payload: Buffer;
  readonly isFunctionError: boolean;
  /** START to XRAY, with the function's own lines. */
  readonly log: string;
  readonly report: lines.Report;
  readonly run: RunRecord;
};

/**
 * A function's environment from its cold start on: a sandbox, its log stream, and the rules of Lambda about both.
 * Takes one job at a time. Once `isUsable` is false it has been stopped.
 */
export class ExecutionEnvironment {
  readonly #options: EnvironmentOptions;
  #sandbox: Sandbox | undefined;
  #telemetry: Telemetry = openTelemetry();
  #isUsable = true;
  #job: Job | undefined;
  #log: InvocationLog | undefined;

  constructor(options: EnvironmentOptions) {
    this.#options = options;
  }

  /** Also false when the process died while it had nothing to do. */
  get isUsable(): boolean {
    return this.#isUsable && (this.#sandbox === undefined || this.#sandbox.isAlive);
  }

  /** Runs one job, on a cold start with the initialisation before it. Failures of the function are results. */
  async run(job: Job): Promise<JobResult> {
    this.#job = job;
    this.#log = openInvocationLog();
    if (this.#options.isFrozenIdle) this.#freeze(false);
    const course = await this.#course(job);
    const result = this.#write(job, course);
    this.#job = undefined;
    this.#log = undefined;
    if (course.end !== undefined || course.outcome === undefined) {
      await this.stop(course.end?.kind === 'timeout' ? 'timeout' : 'failure');
    } else if (this.#options.isFrozenIdle) {
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

  async #course(job: Job): Promise<Course> {
    const { spec, initTimeoutMs } = this.#options;
    let init: InitOutcome | undefined;
    let isInitInside = false;
    if (this.#sandbox === undefined) {
      init = await this.#initialise(initTimeoutMs);
      this.#reportInit(init);
      if (init.kind === 'timedOut') {
        // Lambda tries once more, inside the invocation and on its time.
        isInitInside = true;
        await this.#stopSandbox('timeout');
      }
    }
    const startUs = nowUs();
    job.onStart(startUs);
    this.#platform(lines.startRecord(job.requestId, this.#options.functionArn, job.trace), () =>
      lines.startLine(job.requestId),
    );
    if (isInitInside) init = await this.#initialise(spec.timeoutMs);

    const course = { startUs, init, isInitInside, outcome: undefined };
    if (init !== undefined && init.kind !== 'ready') {
      const failure: Failure =
        init.kind === 'failed'
          ? { by: 'runtime', failure: init.failure }
          : { by: 'platform', failure: init.kind === 'exited' ? init.failure : timeoutFailure(spec.timeoutMs) };
      const end = failure.by === 'platform' ? failure.failure : undefined;
      return { ...course, endUs: nowUs(), end, failure, payload: payloadOf(failure, job.requestId) };
    }
    return { ...course, ...(await this.#invoke(job, startUs)) };
  }

  async #initialise(timeoutMs: number): Promise<InitOutcome> {
    const { spec, runtimeVersion, logStream, start, codeDir, variables } = this.#options;
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
    this.#platform(record, () => lines.initStartLine(version, arn), { isInTail: false });
    if (!start.ok) {
      const atUs = nowUs();
      return { kind: 'exited', startUs: atUs, endUs: atUs, failure: entrypointFailure(start.reason) };
    }
    this.#sandbox = await Sandbox.start({
      command: start.command,
      cwd: codeDir,
      env: variables,
      onLine: (text) => this.#emit('function', text),
      extensions: {
        functionName: spec.name,
        handler: spec.handler,
        accountId: this.#options.accountId,
        external: findExtensions(spec.layerDirs),
        telemetry: this.#telemetry,
        onLine: (text) => this.#emit('extension', text),
        onNews: (news) => this.#platform(...lines.extensionNews(news)),
      },
    });
    return this.#sandbox.initialised(timeoutMs);
  }

  /** The text form speaks only of an initialisation that did not succeed. */
  #reportInit(init: InitOutcome): void {
    const durationUs = init.endUs - init.startUs;
    if (init.kind === 'ready') {
      this.#platform(lines.initRuntimeDoneRecord('success'));
      this.#platform(lines.initReportRecord(durationUs, 'success'));
      return;
    }
    const result = init.kind === 'timedOut' ? 'timeout' : 'error';
    const errorType = init.kind === 'timedOut' ? undefined : (init.failure.errorType ?? 'Runtime.Unknown');
    this.#platform(lines.initRuntimeDoneRecord(result, errorType));
    this.#platform(lines.initReportRecord(durationUs, result, errorType), () =>
      lines.initReportLine(durationUs, result, errorType),
    );
  }

  async #invoke(job: Job, startUs: number): Promise<Pick<Course, 'endUs' | 'outcome' | 'end' | 'failure' | 'payload'>> {
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
        ? payloadOf(failure, job.requestId)
        : outcome.completion?.kind === 'response'
          ? outcome.completion.payload
          : Buffer.alloc(0);
    return { endUs: outcome.endUs, outcome, end, failure, payload };
  }

  #write(job: Job, course: Course): JobResult {
    const { spec } = this.#options;
    const { failure, end } = course;
    const atUs = nowUs();
    const report: lines.Report = {
      requestId: job.requestId,
      durationUs: durationUs(course, spec.timeoutMs),
      initDurationUs:
        course.init === undefined || course.isInitInside ? undefined : course.init.endUs - course.init.startUs,
      memoryMb: spec.memoryMb,
      maxMemoryUsedMb: this.#sandbox?.peakMemoryMb ?? 0,
      ...status(course),
      timeoutMs: spec.timeoutMs,
      trace: job.trace,
    };
    const platform = end ?? (failure?.by === 'platform' ? failure.failure : undefined);
    if (platform !== undefined && spec.logging.format === 'Text') {
      this.#emit('platform', lines.failureLines(platform, job.requestId, atUs));
    }
    this.#platform(lines.runtimeDoneRecord(report, course.payload.length, spansOf(course)), () =>
      lines.endLine(job.requestId),
    );
    this.#platform(lines.reportRecord(report), () => lines.reportLines(report));
    return {
      payload: course.payload,
      isFunctionError: failure !== undefined,
      log: this.#log?.text() ?? '',
      report,
      run: runOf(course, job.requestId, spec.timeoutMs),
    };
  }

  /** One record of the platform, in the function's log format; nothing where the text form has no such line. */
  #platform(
    record: lines.PlatformRecord,
    text: () => string | undefined = () => undefined,
    { isInTail = true } = {},
  ): void {
    const { logging } = this.#options.spec;
    const atUs = nowUs();
    const { type, record: body } = record;
    this.#telemetry.emit({ kind: 'platform', time: lines.isoTime(atUs), type, record: body });
    const line = logging.format === 'JSON' ? lines.platformLine(record, logging, atUs) : text();
    if (line !== undefined) this.#emit('platform', line, isInTail);
  }

  #emit(source: FunctionLine['source'], text: string, isInTail = true): void {
    const { spec, logStream, onLine } = this.#options;
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
      requestId: this.#job?.requestId,
      trace: this.#job?.trace,
      source,
      atUs,
      text,
    });
  }
}
