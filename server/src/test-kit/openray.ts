import { randomBytes } from 'node:crypto';
import { invokeRemote, type RemoteInvocation } from '../client/invoke.ts';
import type { RecordedTrace } from '../client/recorded-trace.ts';
import { type WaitOptions, waitForTrace } from '../client/wait-for-trace.ts';
import { formatTraceId } from '../model/trace-id.ts';
import { SCOPED_ID_RANDOM_DIGITS, scopedTraceId, type TraceScope } from '../model/trace-scope.ts';
import { type OpenrayOptions, type ServerAddress, startServer } from './server-process.ts';
import { sharedServerFor } from './shared-server.ts';

export type InvokeOptions = {
  readonly invocationType?: RemoteInvocation['invocationType'];
  readonly qualifier?: string;
  /** An object with `custom` and `client`, as mobile SDKs send it. */
  readonly clientContext?: object;
  /** `X-Amzn-Trace-Id` of the caller. */
  readonly traceHeader?: string;
};

export type Invocation<Result = unknown> = {
  /** The handler's return value or the description of its failure; undefined for an asynchronous invocation. */
  readonly result: Result;
  readonly functionError: 'Unhandled' | undefined;
  /** The last 4 KB of the log. */
  readonly log: string;
  readonly requestId: string;
  readonly traceId: string;
  /** Waits for the trace of this invocation. */
  readonly trace: (options?: WaitOptions) => Promise<RecordedTrace>;
};

/** The calls that a test makes to a server. */
export type TestScope = {
  /** A failing function is a result. Throws when the server refuses the call. */
  readonly invoke: <Result = unknown>(
    name: string,
    event?: unknown,
    options?: InvokeOptions,
  ) => Promise<Invocation<Result>>;
  /** See `waitForTrace`. A filter matches only traces that were received since the start. */
  readonly waitForTrace: (filterOrId: string, options?: WaitOptions) => Promise<RecordedTrace>;
};

export type Openray = TestScope & {
  /** X-Ray API, Invoke API and console. */
  readonly url: string;
  /** For AWS_XRAY_DAEMON_ADDRESS. */
  readonly daemonAddress: string;
  /** Keeps tests that run at the same time apart: a filter finds no trace that another scope has invoked. */
  readonly scope: () => TestScope & {
    /** A new `X-Amzn-Trace-Id` of the scope, for requests to an application that `invoke` does not reach. */
    readonly traceHeader: () => string;
  };
  /** Stops the server and all processes of its functions; a shared server goes on until the end of the run. */
  readonly close: () => Promise<void>;
};

/**
 * A server for a test in its own process, with the embedded store, a temporary folder and a free port; ready in about a
 * second. The server ends with the test's process, also when that is killed. Within a run that shares a server (see
 * `shareOpenray`) it joins that one, in a scope of its own, unless the options ask for another server.
 * Throws SettingInvalid with the server's output when it does not start.
 */
export async function startOpenray(options: OpenrayOptions = {}): Promise<Openray> {
  const sinceMs = Date.now();
  const shared = sharedServerFor(options);
  if (shared !== undefined) return openrayAt(shared, { sinceMs, scope: newTraceScope(), close: async () => {} });
  const server = await startServer(options);
  return openrayAt(server, { sinceMs, scope: undefined, close: server.close });
}

function openrayAt(
  { url, daemonAddress }: ServerAddress,
  { sinceMs, scope, close }: Pick<ScopeOptions, 'sinceMs' | 'scope'> & Pick<Openray, 'close'>,
): Openray {
  return {
    url,
    daemonAddress,
    ...testScope({ url, sinceMs, scope }),
    scope: () => newScope({ url, sinceMs }),
    close,
  };
}

type ScopeOptions = {
  readonly url: string;
  readonly sinceMs: number;
  /** Undefined: openray makes the ids of traces, and filters find all traces. */
  readonly scope: TraceScope | undefined;
};

function newScope(options: Omit<ScopeOptions, 'scope'>): ReturnType<Openray['scope']> {
  const scope = newTraceScope();
  return { ...testScope({ ...options, scope }), traceHeader: () => newTraceHeader(scope) };
}

function newTraceScope(): TraceScope {
  return randomBytes(4).toString('hex') as TraceScope;
}

function testScope({ url, sinceMs, scope }: ScopeOptions): TestScope {
  const wait = (filterOrId: string, waitOptions?: WaitOptions) =>
    waitForTrace(url, filterOrId, { sinceMs, ...(scope === undefined ? {} : { scope }), ...waitOptions });
  return {
    waitForTrace: wait,
    invoke: (name, event, invokeOptions) =>
      invoke(url, wait, name, event, {
        ...(scope === undefined ? {} : { traceHeader: newTraceHeader(scope) }),
        ...invokeOptions,
      }),
  };
}

/** Without a sampling decision, so that openray decides as for a request without a header. */
function newTraceHeader(scope: TraceScope): string {
  const random = randomBytes(SCOPED_ID_RANDOM_DIGITS / 2).toString('hex');
  return `Root=${formatTraceId(scopedTraceId(scope, Date.now() * 1000, random))}`;
}

async function invoke(
  url: string,
  wait: Openray['waitForTrace'],
  name: string,
  event: unknown = {},
  { invocationType = 'RequestResponse', qualifier, clientContext, traceHeader }: InvokeOptions = {},
): Promise<Invocation<never>> {
  const response = await invokeRemote({
    endpointUrl: url,
    functionName: name,
    payload: Buffer.from(JSON.stringify(event)),
    invocationType,
    qualifier,
    clientContext: clientContext && JSON.stringify(clientContext),
    traceHeader,
  });
  const traceId = formatTraceId(response.traceId);
  return {
    result: (response.payload.length === 0 ? undefined : JSON.parse(response.payload.toString())) as never,
    functionError: response.functionError,
    log: response.log,
    requestId: response.requestId,
    traceId,
    trace: (options) => wait(traceId, options),
  };
}
