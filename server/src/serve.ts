import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { type Config, isLoopback } from './config.ts';
import { OpenrayError } from './errors.ts';
import { type ForwardOptions, openForwarder } from './forward/forwarder.ts';
import { otlpEndpoint } from './forward/otlp-endpoint.ts';
import { xrayTarget } from './forward/xray-sender.ts';
import { type AppOptions, buildApp, buildInvokeApp, buildOtlpApp } from './http/app.ts';
import { serveGateway } from './http/gateway.ts';
import type { LambdaApi } from './http/lambda-api.ts';
import { newHourlyLimit } from './http/otlp.ts';
import { listenOtlpGrpc } from './http/otlp-grpc.ts';
import type { IngestContext } from './ingest/accept.ts';
import { newArrivalSequence } from './ingest/arrival-sequence.ts';
import { newCrossServerNotifications } from './ingest/cross-server-notifications.ts';
import { listenError, listenUdp, type UdpListener } from './ingest/udp.ts';
import {
  handleGetFunction,
  handleGetFunctionConfiguration,
  handleInvoke,
  handleInvokeStreaming,
  handleListFunctions,
} from './lambda/api/invoke-api.ts';
import { openGateway } from './lambda/gateway/gateway.ts';
import { openLambdaService } from './lambda/invoke/lambda-service.ts';
import { openLogSender } from './lambda/invoke/log-sender.ts';
import type { DebugOptions } from './lambda/runtime/runtime-command.ts';
import type { LambdaService } from './lambda/spec/lambda-client.ts';
import { findTemplate, readEnvironmentFile } from './lambda/template/input-files.ts';
import { parseParameterOverrides, readTemplate } from './lambda/template/template.ts';
import { openSampler } from './lambda/tracing/sampling-decision.ts';
import { openSegmentSender, parseDaemonAddress } from './lambda/tracing/segment-sender.ts';
import { newRetentionRuleRunner } from './query/retention/apply-rules.ts';
import { longestRetentionDays, type RetentionPlan, readRetentionRule } from './query/retention/rules.ts';
import { startRollUpWorker } from './query/service-graph/roll-up-worker.ts';
import { DEFAULT_RULE } from './sampling/rules.ts';
import { newSharedSamplingTargets } from './sampling/shared-targets.ts';
import { newSamplingTargets } from './sampling/targets.ts';
import { newStats } from './stats.ts';
import { openStore, type StoreOptions } from './store/open-store.ts';
import { restoreStore } from './store/restore.ts';
import type { Store, TableCopy } from './store/store.ts';

export type RunningServer = {
  /** Where the console and every API answer. */
  readonly url: string;
  /** `host:port` for AWS_XRAY_DAEMON_ADDRESS. */
  readonly daemonAddress: string;
  /** OpenTelemetry's own ports, as far as they are switched on. */
  readonly otlpHttpUrl: string | undefined;
  readonly otlpGrpcUrl: string | undefined;
  readonly lambdaService: LambdaService | undefined;
  /** Stops taking data, stores what was taken, then closes everything. */
  close(): Promise<void>;
};

/** What the server has to know of the process that it runs in. */
export type ServerProcess = {
  readonly log: Logger;
  readonly version: string;
  /** What UV_THREADPOOL_SIZE was when the process began: each call into the embedded engine holds a thread. */
  readonly threadPoolSize: number;
  /** Its variables: functions get PATH and what their template declares. */
  readonly environmentVariables: Readonly<Record<string, string | undefined>>;
};

/** How long `port: 0` looks for a number that is free for UDP and TCP alike. */
const MAX_PORT_ATTEMPTS = 20;

/**
 * Starts everything. Throws OpenrayError with one sentence when a port is taken, the data directory is in use or
 * can not be used, or a template can not be read; then nothing is left running.
 */
export async function startServer(
  config: Config,
  { log, version, threadPoolSize, environmentVariables: environment }: ServerProcess,
): Promise<RunningServer> {
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    // Before the store: what is set wrongly is said without touching any data.
    const forwarding = forwardOptions(config);
    const retention = retentionPlan(config);
    const store = await openStore(storeOptions(config, { log, threadPoolSize }));
    closers.push(() => store.close());

    const onThinned = (thinned: object) => log.info(thinned, 'traces whose time was over by a rule were deleted');
    const onUnknown = (rules: readonly string[]) =>
      log.warn({ rules }, 'rules name groups that are not there: every trace is kept as long as these rules say');
    const thinning = newRetentionRuleRunner(store, retention, {
      owner: config,
      onDayFinished: onThinned,
      onUnknownGroups: onUnknown,
    });
    const rolling = startRollUpWorker(store, { log, betweenBatches: thinning });
    closers.push(() => rolling.stop());

    const stats = newStats();
    const forwards = await openForwarder(forwarding, { stats, log });
    closers.push(forwards.close);

    const arrivals = newCrossServerNotifications(store);
    closers.push(arrivals.close);

    const ingest: IngestContext = { store, stats, notifications: arrivals, onStored: forwards.forward };
    // Behind what is stored, also when the clock was set back.
    const nextSeq = newArrivalSequence(store.lastSeq);
    const samplingRules = () => [DEFAULT_RULE];
    const { host, documentMaxBytes, udpUnsampled: takesUnsampled, region, accountId } = config;
    let functions: LambdaService | undefined;
    const otlp: AppOptions['otlp'] = {
      context: { ...ingest, nextSeq, indexed: new Set(config.otlpAnnotations) },
      options: { maxBytes: config.otlpMaxBytes, shouldReportIgnoredLogs: newHourlyLimit() },
    };
    const app = await buildApp({
      context: {
        ...ingest,
        nextSeq,
        documentMaxBytes,
        samplingRules,
        retentionRules: retention.rules.map(({ text }) => text),
        samplingTargets: store.isShared
          ? newSharedSamplingTargets(store, samplingRules)
          : newSamplingTargets(samplingRules),
        region,
        accountId,
      },
      otlp,
      log,
      bodyMaxBytes: config.bodyMaxBytes,
      consoleDir: findConsoleDir(),
      lambda: () => functions && newLambdaApi(functions),
      version,
    });
    closers.push(() => app.close());

    const listen = (port: number) =>
      listenUdp(ingest, {
        host,
        port,
        documentMaxBytes,
        acceptsUnsampled: takesUnsampled,
        nextSeq,
        indexed: otlp.context.indexed,
        log,
      });
    const udp = await listenUdpAndTcp(app, listen, host, config.port);
    closers.push(() => udp.close());

    const otlpPorts = await listenOtlpPorts(config, otlp, store, log, closers);

    const authority = authorityOf(host, udp.port);
    if (config.template !== undefined) {
      functions = openConfiguredLambdaService(config, {
        daemonAddress: authority,
        environmentVariables: environment,
        log,
      });
      closers.push(functions.close);
    }
    return {
      url: `http://${authority}`,
      daemonAddress: authority,
      ...otlpPorts,
      lambdaService: functions,
      close: closeAll,
    };
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
}

/** Throws SettingInvalid when a rule does not parse. */
function retentionPlan({ retentionDays, retentionRules }: Config): RetentionPlan {
  return { defaultDays: retentionDays, rules: retentionRules.map(readRetentionRule) };
}

function storeOptions(
  config: Config,
  { log, threadPoolSize }: Pick<ServerProcess, 'log' | 'threadPoolSize'>,
): StoreOptions {
  return {
    storeUrl: config.storeUrl,
    dataDir: config.dataDir,
    poolSize: config.poolSize,
    threadPoolSize,
    maxQueryMs: config.queryMaxMs,
    maxQueryMemoryBytes: config.queryMaxMemoryBytes,
    engineMemoryBytes: config.engineMaxMemoryBytes,
    queueMaxBytes: config.queueMaxBytes,
    commitIntervalMs: config.commitIntervalMs,
    retentionDays: longestRetentionDays(retentionPlan(config)),
    retentionDefaultDays: config.retentionDays,
    retentionBytes: config.retentionMaxBytes,
    fsync: config.fsync,
    backupDir: resolve(config.backupDir ?? join(config.dataDir, 'backups')),
    backupDisk: config.backupDisk,
    log,
  };
}

/**
 * Fills the store that the settings name, in which nothing is, with a backup. Yields now and then. Throws StoreInUse
 * while a server runs on it, StoreUnusable when there is something in it, ResourceNotFoundException without the backup.
 */
export function restoreFromBackup(config: Config, process: ServerProcess, name: string): AsyncIterable<TableCopy> {
  return restoreStore(storeOptions(config, process), name);
}

/** Throws SettingInvalid where the server would forward to itself, and so without an end. */
function forwardOptions({
  forwardOtlp,
  forwardOtlpProtocol: protocol,
  forwardOtlpHeaders: headers,
  forwardXray,
  forwardQueueMaxBytes,
  region,
  port,
  otlpHttpPort,
  otlpGrpcPort,
}: Config): ForwardOptions {
  for (const target of [forwardOtlp, forwardXray]) {
    if (target === undefined || !URL.canParse(target)) continue;
    const { hostname, port: targetPort } = new URL(target);
    if (
      isLoopback(hostname.replace(/[[\]]/g, '')) &&
      [port, otlpHttpPort, otlpGrpcPort].map(String).includes(targetPort)
    ) {
      throw new OpenrayError('SettingInvalid', `port ${targetPort} is this server's own: it can not forward to itself`);
    }
  }
  return {
    otlp: forwardOtlp === undefined ? undefined : otlpEndpoint(forwardOtlp, { protocol, headers }),
    xray: forwardXray === undefined ? undefined : xrayTarget(forwardXray, region),
    queueMaxBytes: forwardQueueMaxBytes,
  };
}

/** OpenTelemetry's own ports. What is listening is closed by the last of `closers`. */
async function listenOtlpPorts(
  { host, otlpHttpPort, otlpGrpcPort, otlpMaxBytes, queueMaxBytes, bodyMaxBytes }: Config,
  otlp: AppOptions['otlp'],
  store: Store,
  log: Logger,
  closers: (() => Promise<void>)[],
): Promise<Pick<RunningServer, 'otlpHttpUrl' | 'otlpGrpcUrl'>> {
  const by = 'a collector';
  let otlpHttpUrl: string | undefined;
  let otlpGrpcUrl: string | undefined;
  if (otlpHttpPort !== 'none') {
    const app = buildOtlpApp({ otlp, log, bodyMaxBytes });
    closers.push(() => app.close());
    otlpHttpUrl = await app.listen({ host, port: otlpHttpPort }).catch((cause: unknown) => {
      throw listenError('TCP', host, otlpHttpPort, cause, { by, flag: '--otlp-http-port (or none)' });
    });
  }
  if (otlpGrpcPort !== 'none') {
    const listener = await listenOtlpGrpc(otlp.context, {
      host,
      port: otlpGrpcPort,
      maxBytes: otlpMaxBytes,
      hasCapacity: () => store.statistics().queuedBytes < queueMaxBytes,
      shouldReportIgnoredLogs: otlp.options.shouldReportIgnoredLogs,
      log,
    }).catch((cause: unknown) => {
      throw listenError('TCP', host, otlpGrpcPort, cause, { by, flag: '--otlp-grpc-port (or none)' });
    });
    closers.push(listener.close);
    otlpGrpcUrl = `http://${authorityOf(host, listener.port)}`;
  }
  return { otlpHttpUrl, otlpGrpcUrl };
}

function authorityOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function newLambdaApi(functions: LambdaService): LambdaApi {
  return {
    invoke: (request) => handleInvoke(functions, request),
    invokeStreaming: (request) => handleInvokeStreaming(functions, request),
    listFunctions: () => handleListFunctions(functions),
    getFunction: (name) => handleGetFunction(functions, name),
    getFunctionConfiguration: (name) => handleGetFunctionConfiguration(functions, name),
  };
}

export type LambdaServiceContext = Pick<ServerProcess, 'log' | 'environmentVariables'> & {
  readonly daemonAddress: string;
  /** What the functions print, as it comes. */
  readonly onLine?: (line: string) => void;
  readonly debug?: DebugOptions | undefined;
  /** Takes the sentences for the user instead of the log. */
  readonly onWarning?: (sentence: string) => void;
};

/** The functions of the template that the settings name. Throws SettingInvalid when it can not be read. */
export function openConfiguredLambdaService(
  config: Config,
  { daemonAddress, environmentVariables: environment, log, onLine, onWarning: onNote, debug }: LambdaServiceContext,
): LambdaService {
  const { region, accountId, envVars } = config;
  const overrides = readEnvironmentFile(envVars);
  const file = resolve(config.template ?? findTemplate());
  const parameters = parseParameterOverrides(config.parameterOverrides);
  const reread = () => readTemplate(file, { parameters, region, accountId });
  // The lines go where the traces go, over the same port.
  const logs = openLogSender(`http://${daemonAddress}`);
  const functions = openLambdaService({
    template: reread(),
    reloadTemplate: reread,
    hotReload: config.hotReload,
    freeze: config.lambdaFreeze,
    runsSchedules: config.lambdaSchedules,
    debug,
    region,
    accountId,
    daemonAddress,
    runtimesDir: fileURLToPath(new URL('../runtimes', import.meta.url)),
    cacheDir: join(config.dataDir, 'functions'),
    hostVariables: environment,
    sampling: config.lambdaSampling,
    traceFormat: config.lambdaTraceFormat,
    ...(overrides && { environmentOverrides: overrides }),
    onLogEvent: (line) => {
      logs.add(line);
      onLine?.(line.text);
    },
    onWarning: onNote ?? ((sentence) => log.warn(sentence)),
  });
  return {
    ...functions,
    async close() {
      await functions.close();
      await logs.close();
    },
  };
}

/** Where functions are offered, beside the one port. */
export type HttpEndpoint = { readonly url: string; readonly close: () => Promise<void> };

export type HttpEndpointOptions = Pick<ServerProcess, 'log'> & {
  readonly host: string;
  readonly port: number;
  readonly daemonAddress: string;
  /** Only for APIs: nobody is asked who may call. */
  readonly disableAuthorizer?: boolean;
  /** Only for APIs: they wait as long as somebody debugs. */
  readonly isDebugged?: boolean;
};

/** The Invoke API on a port of its own. Throws when the port is taken. */
export async function startInvokeServer(
  config: Config,
  functions: LambdaService,
  { log, host, port }: HttpEndpointOptions,
): Promise<HttpEndpoint> {
  const app = buildInvokeApp({ log, bodyMaxBytes: config.bodyMaxBytes, lambda: () => newLambdaApi(functions) });
  try {
    const url = await app.listen({ host, port });
    return { url, close: () => app.close() };
  } catch (cause) {
    throw listenError('TCP', host, port, cause);
  }
}

/** The template's APIs and function URLs. Throws when the port is taken. */
export async function startGateway(
  config: Config,
  functions: LambdaService,
  { host, port, daemonAddress, disableAuthorizer = false, isDebugged = false }: HttpEndpointOptions,
): Promise<HttpEndpoint> {
  const { accountId, region } = config;
  const sender = openSegmentSender(parseDaemonAddress(daemonAddress));
  const sample = openSampler(config.lambdaSampling);
  const limits = { callsAuthorizers: !disableAuthorizer, hasTimeouts: !isDebugged };
  const gateway = openGateway({ lambda: functions, sender, accountId, region, sample, ...limits });
  const server = await serveGateway(gateway.handle, { host, port, bodyMaxBytes: config.bodyMaxBytes });
  return {
    url: server.url,
    async close() {
      await server.close();
      sender.close();
    },
  };
}

type TcpListener = { listen(options: { host: string; port: number }): Promise<string> };

/** The same number for UDP and TCP; with port 0 one that is free for both. */
async function listenUdpAndTcp(
  app: TcpListener,
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
      if (port !== 0 || tries === MAX_PORT_ATTEMPTS) throw listenError('TCP', host, udp.port, cause);
    }
  }
}

/** Beside the installed server, or in the repository next to it. */
function findConsoleDir(): string | undefined {
  const places = ['../console', '../../console/dist'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return places.find((place) => existsSync(place));
}
