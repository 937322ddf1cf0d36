import type { AwsAccess } from '../runtime/aws-access.ts';
import type { EnvironmentVariableOverrides } from '../runtime/environment-variables.ts';
import type { DebugOptions } from '../runtime/interpreters.ts';
import type { SchedulerClock } from '../services/scheduler.ts';
import type { Template } from '../template/template.ts';
import type { Sampling, TraceFormat } from '../tracing/sampling-decision.ts';
import type { FunctionLogEvent } from './function-log-event.ts';

export type LambdaServiceOptions = {
  readonly template: Template;
  readonly region: string;
  readonly accountId: string;
  /** `host:port` of the X-Ray daemon that receives the segments. */
  readonly daemonAddress: string;
  /** Folder with openray's runtime clients: `runtimes/` of the package. */
  readonly runtimesDir: string;
  /** Folder of the packages that Lambda's runtimes bring; see `openray runtime install`. */
  readonly packagesDir?: string;
  /** Folder for built code. */
  readonly cacheDir: string;
  /** Environment variables of the host: functions get its PATH, and values for the names that the template declares. */
  readonly hostVariables: Readonly<Record<string, string | undefined>>;
  readonly environmentOverrides?: EnvironmentVariableOverrides;
  /** Access of functions to AWS; none by default. */
  readonly aws?: AwsAccess;
  readonly sampling?: Sampling;
  readonly traceFormat?: TraceFormat;
  readonly nodePath?: string;
  readonly pythonPath?: string;
  readonly debug?: DebugOptions | undefined;
  /** The next invocation runs code that has changed. */
  readonly hotReload?: boolean;
  /** Stops a function's processes between its invocations. */
  readonly freeze?: boolean;
  /** Runs the schedules of the template. */
  readonly runsSchedules?: boolean;
  /** The clock of the schedules. */
  readonly clock?: SchedulerClock;
  /** Reads the template again. Called after its file has changed, when `hotReload` is set. */
  readonly reloadTemplate?: () => Template;
  /** Concurrent runs of all functions; further runs wait. 32 by default. */
  readonly maxConcurrency?: number;
  /** An environment that is idle this long is stopped. 10 minutes by default. */
  readonly idleMs?: number;
  readonly initTimeoutMs?: number;
  /** Delays before the retries of a failed event; on AWS these are minutes. */
  readonly retryDelaysMs?: readonly number[];
  /** Delay after the first throttled attempt at an event; doubles each time. */
  readonly throttleDelayMs?: number;
  /** Called for each log event of each function. */
  readonly onLogEvent?: (event: FunctionLogEvent) => void;
  /** Whether warnings about the events, routes and schedules of the template are given. True by default. */
  readonly warnsOfSources?: boolean;
  /** Receives sentences for the user, each once: parts that are missing or run differently. */
  readonly onWarning?: (sentence: string) => void;
  /** Receives the hint of each invocation that needs one. Without it, each hint is one warning. */
  readonly onHint?: (sentence: string) => void;
};
