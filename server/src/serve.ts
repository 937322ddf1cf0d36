import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { buildApp } from './http/app.ts';
import type { LambdaApi } from './http/invoke.ts';
import type { IngestContext } from './ingest/accept.ts';
import { newArrivals } from './ingest/arrivals.ts';
import { newSequence } from './ingest/sequence.ts';
import { listenUdp, portTaken, type UdpListener } from './ingest/udp.ts';
import { type Functions, openFunctions } from './lambda/functions.ts';
import {
  handleGetFunction,
  handleGetFunctionConfiguration,
  handleInvoke,
  handleListFunctions,
} from './lambda/invoke-api.ts';
import { parseParameterOverrides, readTemplate } from './lambda/template.ts';
import { findTemplate, readEnvironmentFile } from './lambda/template-options.ts';
import { DEFAULT_RULE } from './sampling/rules.ts';
import { newSamplingTargets } from './sampling/targets.ts';
import { newStats } from './stats.ts';
import { openStore } from './store/open-store.ts';

export type RunningServer = {
  /** Where the console and every API answer. */
  readonly url: string;
  /** `host:port` for AWS_XRAY_DAEMON_ADDRESS. */
  readonly daemonAddress: string;
  readonly functions: Functions | undefined;
  /** Stops taking data, stores what was taken, then closes everything. */
  close(): Promise<void>;
};

/** What the server has to know of the process that it runs in. */
export type Process = {
  readonly log: Logger;
  readonly version: string;
  /** What UV_THREADPOOL_SIZE was when the process began: each call into the embedded engine holds a thread. */
  readonly threadPoolSize: number;
  /** Its variables: functions get PATH and what their template declares. */
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/** How long `port: 0` looks for a number that is free for UDP and TCP alike. */
const PORT_TRIES = 20;

/**
 * Starts everything. Throws OpenrayError with one sentence when a port is taken, the data directory is in use or
 * can not be used, or a template can not be read; then nothing is left running.
 */
export async function startServer(
  config: Config,
  { log, version, threadPoolSize, environment }: Process,
): Promise<RunningServer> {
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const store = await openStore({
      storeUrl: config.storeUrl,
      dataDir: config.dataDir,
      poolSize: config.poolSize,
      threadPoolSize,
      maxQueryMs: config.queryMaxMs,
      maxQueryMemoryBytes: config.queryMaxMemoryBytes,
      engineMemoryBytes: config.engineMaxMemoryBytes,
      queueMaxBytes: config.queueMaxBytes,
      commitIntervalMs: config.commitIntervalMs,
      retentionDays: config.retentionDays,
      retentionBytes: config.retentionMaxBytes,
      fsync: config.fsync,
      log,
    });
    closers.push(() => store.close());

    const ingest: IngestContext = { store, stats: newStats(), arrivals: newArrivals() };
    const nextSeq = newSequence();
    const samplingRules = () => [DEFAULT_RULE];
    const { host, documentMaxBytes, region, accountId } = config;
    let functions: Functions | undefined;
    const app = await buildApp({
      context: {
        ...ingest,
        nextSeq,
        documentMaxBytes,
        samplingRules,
        samplingTargets: newSamplingTargets(samplingRules),
        region,
        accountId,
      },
      log,
      bodyMaxBytes: config.bodyMaxBytes,
      consoleDir: findConsole(),
      lambda: () => functions && lambdaApi(functions),
      version,
    });
    closers.push(() => app.close());

    const listen = (port: number) => listenUdp(ingest, { host, port, documentMaxBytes, nextSeq, log });
    const udp = await listenOnBoth(app, listen, host, config.port);
    closers.push(() => udp.close());

    const authority = `${host.includes(':') ? `[${host}]` : host}:${udp.port}`;
    if (config.template !== undefined) {
      functions = openConfiguredFunctions(config, { daemonAddress: authority, environment, log });
      closers.push(functions.close);
    }
    return { url: `http://${authority}`, daemonAddress: authority, functions, close: closeAll };
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
}

function lambdaApi(functions: Functions): LambdaApi {
  return {
    invoke: (request) => handleInvoke(functions, request),
    listFunctions: () => handleListFunctions(functions),
    getFunction: (name) => handleGetFunction(functions, name),
    getFunctionConfiguration: (name) => handleGetFunctionConfiguration(functions, name),
  };
}

export type FunctionsContext = Pick<Process, 'log' | 'environment'> & {
  readonly daemonAddress: string;
  /** What the functions print, as it comes. */
  readonly onLine?: (line: string) => void;
  /** Takes the sentences for the user instead of the log. */
  readonly onNote?: (sentence: string) => void;
};

/** The functions of the template that the settings name. Throws SettingInvalid when it can not be read. */
export function openConfiguredFunctions(
  config: Config,
  { daemonAddress, environment, log, onLine, onNote }: FunctionsContext,
): Functions {
  const { region, accountId, template, parameterOverrides, envVars } = config;
  const overrides = readEnvironmentFile(envVars);
  return openFunctions({
    template: readTemplate(template ?? findTemplate(), {
      parameters: parseParameterOverrides(parameterOverrides),
      region,
      accountId,
    }),
    region,
    accountId,
    daemonAddress,
    runtimesDir: fileURLToPath(new URL('../runtimes', import.meta.url)),
    cacheDir: join(config.dataDir, 'functions'),
    host: environment,
    sampling: config.lambdaSampling,
    traceShape: config.lambdaTraceShape,
    ...(overrides && { overrides }),
    ...(onLine && { onLine: ({ text }) => onLine(text) }),
    onNote: onNote ?? ((sentence) => log.warn(sentence)),
  });
}

type Listening = { listen(options: { host: string; port: number }): Promise<string> };

/** The same number for UDP and TCP; with port 0 one that is free for both. */
async function listenOnBoth(
  app: Listening,
  listen: (port: number) => Promise<UdpListener>,
  host: string,
  port: number,
): Promise<UdpListener> {
  for (let tries = 1; ; tries += 1) {
    const udp = await listen(port);
    try {
      await app.listen({ host, port: udp.port });
      return udp;
    } catch (cause) {
      await udp.close();
      if (port !== 0 || tries === PORT_TRIES) throw portTaken('TCP', host, udp.port, cause);
    }
  }
}

/** Beside the installed server, or in the repository next to it. */
function findConsole(): string | undefined {
  const places = ['../console', '../../console/dist'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return places.find((place) => existsSync(place));
}
