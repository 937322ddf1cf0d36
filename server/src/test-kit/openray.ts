import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { invokeRemote } from '../client/invoke.ts';
import type { RecordedTrace } from '../client/recorded-trace.ts';
import { type WaitOptions, waitForTrace } from '../client/wait-for-trace.ts';
import { OpenrayError } from '../errors.ts';
import type { InvocationType } from '../lambda/spec/lambda-client.ts';
import { formatTraceId } from '../model/trace-id.ts';

export type OpenrayOptions = {
  /** SAM or CloudFormation template whose functions can be invoked. */
  readonly template?: string;
  /** Where traces are kept; without it a temporary folder, gone after `close`. */
  readonly dataDir?: string;
  /** 0, a free one, unless told otherwise. */
  readonly port?: number;
  /** Any other setting, by its name in `openray config`. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Variables of the server's process: functions get those that their template declares. */
  readonly env?: Readonly<Record<string, string | undefined>>;
};

export type InvokeOptions = {
  readonly invocationType?: InvocationType;
  readonly qualifier?: string;
  /** An object, as the `custom` and `client` of a mobile SDK. */
  readonly clientContext?: object;
  /** `X-Amzn-Trace-Id` of the caller. */
  readonly traceHeader?: string;
};

export type Invocation<Result = unknown> = {
  /** What the handler returned, or what describes its failure; undefined for an asynchronous invocation. */
  readonly result: Result;
  readonly functionError: 'Unhandled' | undefined;
  /** The last 4 KB of the log. */
  readonly log: string;
  readonly requestId: string;
  readonly traceId: string;
  /** Waits for the trace of this invocation. */
  readonly trace: (options?: WaitOptions) => Promise<RecordedTrace>;
};

export type Openray = {
  /** X-Ray API, Invoke API and console. */
  readonly url: string;
  /** For AWS_XRAY_DAEMON_ADDRESS. */
  readonly daemonAddress: string;
  /** A failing function is a result; throws what the service refuses. */
  readonly invoke: <Result = unknown>(
    name: string,
    event?: unknown,
    options?: InvokeOptions,
  ) => Promise<Invocation<Result>>;
  /** See `waitForTrace`; by filter, only traces since the start count. */
  readonly waitForTrace: (filterOrId: string, options?: WaitOptions) => Promise<RecordedTrace>;
  /** Stops the server and whatever its functions left running. */
  readonly close: () => Promise<void>;
};

const PROGRAM = fileURLToPath(new URL('../../bin/openray.cjs', import.meta.url));

/**
 * Starts an openray for a test in a process of its own, with the embedded store, a temporary folder and a free port;
 * ready in about a second. It ends with the test's process, whatever happens to that.
 * Throws SettingInvalid with what the server said when it can not be started.
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
  const wait = (filterOrId: string, waitOptions?: WaitOptions) =>
    waitForTrace(url, filterOrId, { sinceMs, ...waitOptions });
  return {
    url,
    daemonAddress,
    waitForTrace: wait,
    invoke: (name, event, invokeOptions) => invoke(url, wait, name, event, invokeOptions),
    async close() {
      child.stdin.end();
      await exited;
      await removeTemporary();
    },
  };
}

async function invoke(
  url: string,
  wait: Openray['waitForTrace'],
  name: string,
  event: unknown = {},
  { invocationType = 'RequestResponse', qualifier, clientContext, traceHeader }: InvokeOptions = {},
): Promise<Invocation<never>> {
  const answer = await invokeRemote({
    endpointUrl: url,
    functionName: name,
    payload: Buffer.from(JSON.stringify(event)),
    invocationType,
    qualifier,
    clientContext: clientContext && JSON.stringify(clientContext),
    traceHeader,
  });
  const traceId = formatTraceId(answer.traceId);
  return {
    result: (answer.payload.length === 0 ? undefined : JSON.parse(answer.payload.toString())) as never,
    functionError: answer.functionError,
    log: answer.log,
    requestId: answer.requestId,
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

/** The daemon's address once the server says that it is ready. */
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
      const said = printed.trim().replace(/^openray: /, '');
      reject(new OpenrayError('SettingInvalid', said === '' ? 'openray ended before it was ready' : said));
    });
  });
}
