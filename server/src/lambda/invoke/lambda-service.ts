import { randomUUID } from 'node:crypto';
import { OpenrayError, toFailure } from '../../errors.ts';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { parseTraceHeader } from '../../model/trace-header.ts';
import type { EntityId, TraceId } from '../../model/trace-id.ts';
import { handleInvoke } from '../api/invoke-api.ts';
import { type Credentials, type EnvironmentVariableOverrides, invokedArn } from '../runtime/environment-variables.ts';
import type { Invocation } from '../runtime/runtime-api.ts';
import type { DebugOptions } from '../runtime/runtime-command.ts';
import { openLocalServices } from '../services/open-services.ts';
import type { BatchResult } from '../services/queue-source.ts';
import type { SchedulerClock } from '../services/scheduler.ts';
import { type FunctionSpec, functionArn } from '../spec/function-spec.ts';
import type { GatewayRoute } from '../spec/routes.ts';
import type { ScheduleSpec } from '../template/schedules.ts';
import type { Template } from '../template/template.ts';
import { nowUs } from '../tracing/clock.ts';
import {
  functionSegment,
  inProgressFunctionSegment,
  isRecorded,
  type ProducerLink,
  serviceSegment,
  type TracedFunction,
} from '../tracing/lambda-segments.ts';
import {
  decideTrace,
  headerText,
  type Sampling,
  type TraceDecision,
  type TraceFormat,
} from '../tracing/sampling-decision.ts';
import { openSegmentSender, parseDaemonAddress } from '../tracing/segment-sender.ts';
import { openAsyncInvocations } from './async-invocations.ts';
import type { EnvironmentPool } from './environment-pool.ts';
import type { AttemptResult, FunctionLogEvent } from './execution-environment.ts';
import { openFunctionRegistry } from './function-registry.ts';
import { logTail } from './platform-log.ts';

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

export type InvocationType = 'RequestResponse' | 'Event' | 'DryRun';

export type InvokeRequest = {
  /** JSON; empty counts as `{}`. */
  readonly payload: Buffer;
  /** The caller's trace, in the form of `X-Amzn-Trace-Id`. */
  readonly traceHeader?: string | undefined;
  /** JSON text. */
  readonly clientContext?: string | undefined;
  readonly invocationType: InvocationType;
  readonly qualifier?: string | undefined;
  /** Takes a streamed answer as it comes, with its content type; what the function returned whole is not streamed. */
  readonly onChunk?: Invocation['onChunk'];
  /** The producers of the messages that the payload holds. */
  readonly links?: readonly ProducerLink[];
};

export type InvokeResult = {
  readonly requestId: string;
  /** 200, 202 for `Event`, 204 for `DryRun`: also when the function failed. */
  readonly statusCode: 200 | 202 | 204;
  readonly payload: Buffer;
  readonly functionError: 'Unhandled' | undefined;
  /** START to XRAY with the function's lines between; bounded. Empty unless 200. */
  readonly log: string;
  /** The last 4 KB of it. */
  readonly logTail: string;
  /** What the function got, which is also what the caller is told. */
  readonly traceHeader: string;
  readonly traceId: TraceId;
  /** The function's segment; undefined when none was written. */
  readonly segmentId: EntityId | undefined;
  readonly isSampled: boolean;
  readonly executedVersion: '$LATEST';
};

export type FunctionDescription = { readonly spec: FunctionSpec; readonly arn: string };

export type LambdaService = {
  readonly list: () => readonly FunctionDescription[];
  /** What the template's APIs and function URLs route to them. */
  readonly routes: () => readonly GatewayRoute[];
  /** By logical id, name or ARN, with or without qualifier. Throws ResourceNotFoundException. */
  readonly find: (nameOrArn: string) => FunctionDescription;
  /** Of the template, whether they run here or not. */
  readonly schedules: () => readonly ScheduleSpec[];
  /** A text that changes with the template and the function's code, as far as it has been run. */
  readonly fingerprint: (nameOrArn: string) => string;
  /**
   * A failing function is a result; what throws is the service: ResourceNotFoundException, InvalidRequestException
   * (no JSON), RequestTooLargeException, ThrottledException, SettingInvalid (can't be built, or can't run here),
   * ServiceUnavailable (closed).
   */
  readonly invoke: (nameOrArn: string, request: InvokeRequest) => Promise<InvokeResult>;
  /** Resolves when no asynchronous invocation is under way. */
  readonly whenIdle: () => Promise<void>;
  /** Kills what runs. Nothing of it is left afterwards. */
  readonly close: () => Promise<void>;
};

const SYNC_MAX_BYTES = 6 * 1024 * 1024;
const EVENT_MAX_BYTES = 1024 * 1024;
/** What has not ended by then is shown in progress; what has would only cost a document more. */
const IN_PROGRESS_AFTER_MS = 100;

/** One accepted request: what all its attempts have in common. */
type AcceptedInvocation = {
  readonly pool: EnvironmentPool;
  readonly traced: TracedFunction;
  readonly requestId: string;
  readonly invokedArn: string;
  readonly payload: Buffer;
  readonly clientContext: string | undefined;
  readonly onChunk: Invocation['onChunk'];
  readonly links: readonly ProducerLink[];
  readonly startUs: number;
};

/** The local Lambda service over the functions of one template. Starts nothing before the first invocation. */
export function openLambdaService(options: LambdaServiceOptions): LambdaService {
  const { region, accountId } = options;
  const shape = options.traceFormat ?? 1;
  const sender = openSegmentSender(parseDaemonAddress(options.daemonAddress));
  const told = new Set<string>();
  const note = (sentence: string) => {
    if (!told.has(sentence)) options.onWarning?.(sentence);
    told.add(sentence);
  };
  const services = openLocalServices({
    specs: options.template.services,
    accountId,
    region,
    warn: note,
    invokeAsync: invokeLater,
    runBatch: (functionId, event, links) => runBatch(functionId, event, links),
    invokeApi: (request) => handleInvoke(functions, request),
    refresh: () => set.refresh(),
    runsSchedules: options.runsSchedules ?? false,
    clock: options.clock,
  });
  const events = openAsyncInvocations({
    sender,
    traceFormat: shape,
    retryDelaysMs: options.retryDelaysMs ?? [1000, 2000],
    throttleDelayMs: options.throttleDelayMs ?? 1000,
    deliver: services.deliver,
  });
  const set = openFunctionRegistry(options, services, note);
  const accepting = new Set<Promise<unknown>>();
  let isClosed = false;

  process.once('exit', set.kill);

  const describe = (spec: FunctionSpec) => ({ spec, arn: functionArn(spec.name, region, accountId) });

  async function invoke(nameOrArn: string, request: InvokeRequest): Promise<InvokeResult> {
    if (isClosed) throw new OpenrayError('ServiceUnavailable', 'the local functions are closed');
    const { pool, sample, qualifier = request.qualifier } = set.find(nameOrArn);
    const { spec } = pool;
    if (spec.unsupportedReason !== undefined) throw new OpenrayError('SettingInvalid', spec.unsupportedReason);
    // Building is not Lambda's work: it is no part of the trace.
    await pool.prepare();
    const startUs = nowUs();
    const call: AcceptedInvocation = {
      pool,
      traced: {
        name: spec.name,
        arn: functionArn(spec.name, region, accountId),
        accountId,
        logGroup: spec.logging.logGroup,
      },
      requestId: randomUUID(),
      invokedArn: invokedArn(spec.name, region, accountId, qualifier),
      payload: readPayload(request),
      clientContext: request.clientContext,
      onChunk: request.onChunk,
      links: request.links ?? [],
      startUs,
    };
    const trace = decideTrace({
      mode: spec.tracing,
      traceFormat: shape,
      incoming: request.traceHeader === undefined ? undefined : parseTraceHeader(request.traceHeader),
      sample,
      nowUs: startUs,
    });
    switch (request.invocationType) {
      case 'DryRun':
        return resultWithoutPayload(call, trace, 204);
      case 'RequestResponse':
        return invokeNow(call, trace);
      case 'Event':
        await events.accept({ ...call, spec, attempt: (...ids) => attempt(call, ...ids) }, trace);
        return resultWithoutPayload(call, trace, 202);
    }
  }

  async function invokeNow(call: AcceptedInvocation, trace: TraceDecision): Promise<InvokeResult> {
    const finish = async (status: number) => {
      if (!isRecorded(trace)) return;
      const { traced, requestId, startUs, links } = call;
      await sender.send(serviceSegment({ function: traced, trace, requestId, startUs, endUs: nowUs(), status, links }));
    };
    let result: AttemptResult;
    try {
      result = await attempt(call, trace, trace.ids?.service);
    } catch (error) {
      await finish(error instanceof OpenrayError && error.code === 'ThrottledException' ? 429 : 500);
      throw error;
    }
    await finish(200);
    return {
      ...resultWithoutPayload(call, trace, 200),
      payload: result.payload,
      functionError: result.isFunctionError ? 'Unhandled' : undefined,
      log: result.log,
      logTail: logTail(result.log),
    };
  }

  /** For what has nobody to hear of a failure: topics, rules, destinations. */
  function invokeLater(nameOrArn: string, event: JsonValue, traceHeader: string | undefined): void {
    const payload = Buffer.from(JSON.stringify(event));
    const accepted: Promise<unknown> = invoke(nameOrArn, { payload, traceHeader, invocationType: 'Event' })
      .catch((error: unknown) => note(`${nameOrArn} did not get its event: ${toFailure(error).message}`))
      .finally(() => accepting.delete(accepted));
    accepting.add(accepted);
  }

  /** A batch of a queue: its own trace, linked to the producers'. */
  async function runBatch(functionId: string, event: JsonObject, links: readonly ProducerLink[]): Promise<BatchResult> {
    const payload = Buffer.from(JSON.stringify(event));
    const result = await invoke(functionId, { payload, links, invocationType: 'RequestResponse' });
    return { payload: result.payload, isFunctionError: result.functionError !== undefined };
  }

  /** One run in an environment, and the sandbox's documents about it. */
  async function attempt(
    call: AcceptedInvocation,
    trace: TraceDecision,
    parentId: EntityId | undefined,
  ): Promise<AttemptResult> {
    const { traced, requestId, invokedArn: arn, payload, clientContext } = call;
    const recorded = isRecorded(trace) && parentId !== undefined ? { trace, parentId } : undefined;
    let opened: Promise<void> | undefined;
    let opening: NodeJS.Timeout | undefined;
    const running = call.pool.run({
      requestId,
      invokedArn: arn,
      payload,
      clientContext,
      trace,
      onChunk: call.onChunk,
      onStart(startUs) {
        if (recorded === undefined) return;
        opening = setTimeout(() => {
          opened = sender.send(inProgressFunctionSegment({ function: traced, startUs, ...recorded }));
        }, IN_PROGRESS_AFTER_MS);
      },
    });
    const result = await running.finally(() => clearTimeout(opening));
    // What is complete comes last.
    await opened;
    if (recorded)
      await sender.send(functionSegment({ function: traced, traceFormat: shape, ...recorded, ...result.timings }));
    return result;
  }

  const functions: LambdaService = {
    routes: set.routes,
    schedules: set.schedules,
    list: () => set.list().map(describe),
    find: (nameOrArn) => describe(set.find(nameOrArn).pool.spec),
    fingerprint: set.fingerprint,
    invoke,
    async whenIdle() {
      // Each may lead to the others.
      do {
        await Promise.all(accepting);
        await services.whenIdle();
        await events.whenIdle();
      } while (accepting.size > 0 || !services.isIdle());
    },
    async close() {
      isClosed = true;
      events.close();
      process.off('exit', set.kill);
      await set.close();
      await services.close();
      sender.close();
    },
  };
  return functions;
}

function resultWithoutPayload(
  call: AcceptedInvocation,
  trace: TraceDecision,
  statusCode: InvokeResult['statusCode'],
): InvokeResult {
  return {
    requestId: call.requestId,
    statusCode,
    payload: Buffer.alloc(0),
    functionError: undefined,
    log: '',
    logTail: '',
    traceHeader: headerText(trace),
    traceId: trace.traceId,
    segmentId: trace.ids?.function,
    isSampled: trace.isSampled,
    executedVersion: '$LATEST',
  };
}

/** Checked as Lambda does before anything runs. */
function readPayload({ payload, invocationType }: InvokeRequest): Buffer {
  const maxBytes = invocationType === 'Event' ? EVENT_MAX_BYTES : SYNC_MAX_BYTES;
  if (payload.length > maxBytes) {
    const sentence = `Request must be smaller than ${maxBytes} bytes for the InvokeFunction operation`;
    throw new OpenrayError('RequestTooLargeException', sentence);
  }
  if (payload.length === 0) return Buffer.from('{}');
  try {
    JSON.parse(payload.toString());
  } catch (error) {
    const reason = (error as Error).message;
    throw new OpenrayError('InvalidRequestException', `Could not parse request body into json: ${reason}`);
  }
  return payload;
}
