import type { Credentials, EnvironmentVariableOverrides } from '../runtime/environment-variables.ts';
import type { DebugOptions } from '../runtime/runtime-command.ts';
import type { SchedulerClock } from '../services/scheduler.ts';
import type { Template } from '../template/template.ts';
import type { Sampling, TraceFormat } from '../tracing/sampling-decision.ts';
import type { FunctionLogEvent } from './function-log-event.ts';

export type LambdaServiceOptions = {
  readonly template: Template;
  readonly region: string;
  readonly accountId: string;
  /** `host:port` of the X-Ray daemon that takes the documents. */
  readonly daemonAddress: string;
  /** Folder with openray's runtime clients: `runtimes/` of the package. */
  readonly runtimesDir: string;
  /** Folder for built code. */
  readonly cacheDir: string;
  /** The variables of the host, for PATH and for what the template declares. */
  readonly hostVariables: Readonly<Record<string, string | undefined>>;
  readonly environmentOverrides?: EnvironmentVariableOverrides;
  readonly credentials?: Credentials;
  readonly sampling?: Sampling;
  readonly traceFormat?: TraceFormat;
  readonly nodePath?: string;
  readonly pythonPath?: string;
  readonly debug?: DebugOptions | undefined;
  /** Code that has changed is run by the next invocation. */
  readonly hotReload?: boolean;
  /** Stop a function's processes between its invocations. */
  readonly freeze?: boolean;
  /** Send what the template's schedules send, when they are due. */
  readonly runsSchedules?: boolean;
  /** The clock that schedules go by. */
  readonly clock?: SchedulerClock;
  /** Reads the template again; asked, with `hotReload`, after its file has changed. */
  readonly reloadTemplate?: () => Template;
  /** Jobs that run at once, over all functions; more wait for their turn. */
  readonly maxConcurrency?: number;
  readonly initTimeoutMs?: number;
  /** Waits before the attempts after a failed asynchronous one. On AWS these are minutes. */
  readonly retryDelaysMs?: readonly number[];
  /** First wait after an event was throttled; doubled each time. */
  readonly throttleDelayMs?: number;
  /** Every log event of every function, as it happens. */
  readonly onLogEvent?: (line: FunctionLogEvent) => void;
  /** Sentences for the user, each once: what is missing, what runs otherwise than asked. */
  readonly onWarning?: (sentence: string) => void;
};
