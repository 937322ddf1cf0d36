import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type InvocationType, invokeRemote } from '../client/invoke.ts';
import type { RecordedTrace } from '../client/recorded-trace.ts';
import { type WaitOptions, waitForTrace } from '../client/wait-for-trace.ts';
import { OpenrayError } from '../errors.ts';
import { formatTraceId } from '../model/trace-id.ts';
import { readTraceScope, SCOPED_ID_RANDOM_DIGITS, scopedTraceId, type TraceScope } from '../model/trace-scope.ts';

export type OpenrayOptions = {
  /** SAM or CloudFormation template whose functions can be invoked. */
  readonly template?: string;
  /** Data directory; by default a temporary folder that `close` removes. */
  readonly dataDir?: string;
  /** Default: 0, a free port. */
  readonly port?: number;
  /** Any other setting, by its name in `openray config`. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Environment variables of the server's process: a function gets those that its template declares. */
  readonly env?: Readonly<Record<string, string | undefined>>;
};

export type InvokeOptions = {
  readonly invocationType?: InvocationType;
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

/** What a test does with a server. */
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
  /** Stops the server and all processes of its functions. */
  readonly close: () => Promise<void>;
};

const PROGRAM = fileURLToPath(new URL('../../bin/openray.cjs', import.meta.url));

/**
 * Starts a server for a test in its own process, with the embedded store, a temporary folder and a free port; ready in
 * about a second. The server ends with the test's process, also when that is killed.
 * Throws SettingInvalid with the server's output when it does not start.
 */
export async function startOpenray(options: OpenrayOptions = {}): Promise<Openray> {
  const temporary = options.dataDir === undefined ? await mkdtemp(join(tmpdir(), 'openray-')) : undefined;
  const removeTemporary = async () => {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  };
  const dataDir = options.dataDir ?? (temporary as string);
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--until-stdin-ends', ...flagsOf(options, dataDir)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // biome-ignore lint/style/noProcessEnv: a program that a test starts lives in the test's environment
    env: { ...process.env, ...options.env },
  });
  const exited = once(child, 'exit');
  const sinceMs = Date.now();
  let daemonAddress: string;
  try {
    daemonAddress = await untilReady(child);
  } catch (error) {
    await removeTemporary();
    throw error;
  }
  const url = `http://${daemonAddress}`;
  return {
    url,
    daemonAddress,
    ...testScope({ url, sinceMs, scope: undefined }),
    scope: () => newScope({ url, sinceMs }),
    async close() {
      child.stdin.end();
      await exited;
      await removeTemporary();
    },
  };
}

type ScopeOptions = {
  readonly url: string;
  readonly sinceMs: number;
  /** Undefined: openray makes the ids of traces, and filters find all traces. */
  readonly scope: TraceScope | undefined;
};

function newScope(options: Omit<ScopeOptions, 'scope'>): ReturnType<Openray['scope']> {
  const scope = readTraceScope(randomBytes(4).toString('hex'));
  if (scope === undefined) throw new TypeError('eight hex digits are a scope');
  return { ...testScope({ ...options, scope }), traceHeader: () => newTraceHeader(scope) };
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

function flagsOf({ template, port = 0, settings = {} }: OpenrayOptions, dataDir: string): readonly string[] {
  const values = { dataDir, port, logLevel: 'warn', ...(template === undefined ? {} : { template }), ...settings };
  return Object.entries(values).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);
}

/** Resolves with the daemon's address when the server prints that it is ready. */
function untilReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        printed = `${printed}${line}\n`.slice(-10_000);
        const ready = /AWS_XRAY_DAEMON_ADDRESS=(\S+)/.exec(line);
        if (ready?.[1] !== undefined) resolve(ready[1]);
      });
    }
    child.once('error', reject);
    child.once('close', () => {
      const reason = printed.trim().replace(/^openray: /, '');
      reject(new OpenrayError('SettingInvalid', reason === '' ? 'openray ended before it was ready' : reason));
    });
  });
}
