import { existsSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { OpenrayError } from '../errors.ts';
import { type ForwardOptions, openForwarder } from '../forward/forwarder.ts';
import { type AppOptions, buildApp, buildOtlpApp } from '../http/app.ts';
import type { LambdaApi } from '../http/lambda-api.ts';
import { openMetrics } from '../http/metrics.ts';
import type { IngestContext } from '../ingest/accept.ts';
import { newAdmission } from '../ingest/admission.ts';
import { newArrivalSequence } from '../ingest/arrival-sequence.ts';
import { newCrossServerNotifications } from '../ingest/cross-server-notifications.ts';
import { newLogRecordsDropper } from '../ingest/ignored-logs.ts';
import { type MemoryBudget, newMemoryBudget } from '../ingest/memory-budget.ts';
import { newMetricsDropper } from '../ingest/otlp-metrics.ts';
import { listenUdp } from '../ingest/udp.ts';
import type { LambdaService } from '../lambda/spec/lambda-client.ts';
import { CONSOLE_DIRS } from '../package/files.ts';
import { listGroups } from '../query/groups.ts';
import { newRetentionRuleRunner } from '../query/retention/apply-rules.ts';
import type { RetentionPlan } from '../query/retention/rules.ts';
import { startRollUpWorker } from '../query/service-graph/roll-up-worker.ts';
import { newTraceWaits } from '../query/traces/wait-for-trace.ts';
import { DEFAULT_RULE } from '../sampling/rules.ts';
import { newSharedSamplingTargets } from '../sampling/shared-targets.ts';
import { newSamplingTargets } from '../sampling/targets.ts';
import { newStats } from '../stats.ts';
import type { Store } from '../store/store.ts';
import { startIdleMemory } from './idle-memory.ts';
import { memoryLimits } from './memory-limits.ts';
import { authorityOf, listenError, listenUdpAndTcp } from './ports.ts';
import type { ServerProcess } from './process.ts';

export type RunningServer = {
  /** Base URL of the console and of every API. */
  readonly url: string;
  /** `host:port` for AWS_XRAY_DAEMON_ADDRESS. */
  readonly daemonAddress: string;
  /** OpenTelemetry's own ports; undefined where the setting is `none`. */
  readonly otlpHttpUrl: string | undefined;
  readonly otlpGrpcUrl: string | undefined;
  readonly lambdaService: LambdaService | undefined;
  /** Answers the requests in flight, stores the documents that wait, then closes everything. */
  close(): Promise<void>;
};

/** A store that is opening, and what was read from the settings before. */
export type OpeningServer = {
  readonly opening: Promise<Store>;
  readonly forward: ForwardOptions;
  readonly retention: RetentionPlan;
};

/** Starts everything over a store that is opening. Throws as `startServer` and closes the store. */
export async function startOverStore(
  config: Config,
  { log, version, environmentVariables }: ServerProcess,
  { opening, forward, retention }: OpeningServer,
): Promise<RunningServer> {
  /** Of all listeners that answer: each answers the requests in flight first. */
  const answering: (() => Promise<void>)[] = [];
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    // Functions, UDP and store are open until then, since the requests in flight use them.
    await Promise.all(answering.splice(0).map((close) => close()));
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const store = await opening;
    closers.push(() => store.close());

    // Continues after the stored documents, even when the clock was set back.
    const { next: nextSeq, lowWatermark: sequenceWatermark } = newArrivalSequence(store.lastSeq, store.clock.arrivalUs);
    const retentionRuleRunner = newRetentionRuleRunner(store, retention, {
      owner: config,
      onDayFinished: (day) => log.info(day, 'retention rules applied'),
      onUnknownGroups: (rules) => log.warn({ rules }, 'retention rules name unknown groups: they apply to every trace'),
    });
    // Groups are answered from memory while ClickHouse is away.
    void listGroups(store).catch(() => {});
    const stats = newStats();
    const rollUpWorker = startRollUpWorker(store, {
      log,
      stats,
      betweenBatches: retentionRuleRunner,
      ...(!store.isShared && { sequenceWatermark }),
    });
    closers.push(() => rollUpWorker.stop());

    const forwarder = await openForwarder(forward, { stats, log });
    closers.push(forwarder.close);

    const notifications = newCrossServerNotifications(store);
    closers.push(notifications.close);
    const traceWaits = newTraceWaits(store, notifications.subscribe);
    answering.push(async () => traceWaits.close());

    const { requestBytes, queueBytes } = memoryLimits(config);
    const memory = newMemoryBudget(requestBytes);
    const admission = newAdmission({
      queuedBytes: () => store.statistics().queuedBytes,
      queueMaxBytes: queueBytes,
      heldMaxBytes: MAX_WAITING_MESSAGES * config.otlpMaxBytes,
    });
    const ingest: IngestContext = { store, stats, admission, notifications, onStored: forwarder.forward };
    const samplingRules = () => [DEFAULT_RULE];
    const { host, documentMaxBytes, udpUnsampled: acceptsUnsampled, region, accountId } = config;
    let lambdaService: LambdaService | undefined;
    let lambdaApi: LambdaApi | undefined;
    let addresses: Pick<RunningServer, 'daemonAddress' | 'otlpHttpUrl' | 'otlpGrpcUrl'> | undefined;
    const otlp: AppOptions['otlp'] = {
      context: {
        ...ingest,
        nextSeq,
        indexed: new Set(config.otlpAnnotations),
        dropLogRecords: newLogRecordsDropper(stats, log),
        dropMetrics: newMetricsDropper(stats, log),
      },
      options: { maxBytes: config.otlpMaxBytes },
    };
    const metrics = openMetrics({ stats, store, memory });
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
        traceWaits,
        region,
        accountId,
        receivers() {
          if (addresses === undefined) throw new OpenrayError('ServiceUnavailable', 'The server is starting');
          return { ...addresses, functions: lambdaService?.list().map(({ spec }) => spec.logicalId) ?? [] };
        },
      },
      otlp,
      log,
      memory,
      bodyMaxBytes: config.bodyMaxBytes,
      consoleDir: CONSOLE_DIRS.find((folder) => existsSync(folder)),
      lambda: () => lambdaApi,
      version,
      metrics,
    });
    answering.push(() => app.close());

    const listen = (port: number) =>
      listenUdp(ingest, {
        host,
        port,
        documentMaxBytes,
        acceptsUnsampled,
        nextSeq,
        indexed: otlp.context.indexed,
        memory,
        log,
      });
    const udp = await listenUdpAndTcp(app, listen, host, config.port);
    closers.push(() => udp.close());

    const idleMemory = startIdleMemory();
    closers.push(async () => idleMemory.stop());

    const otlpPorts = await listenOtlpPorts(config, { otlp, metrics }, { memory, log }, answering);

    const daemonAddress = authorityOf(host, udp.port);
    addresses = { daemonAddress, ...otlpPorts };
    if (config.template !== undefined) {
      // A tenth of the program, so that it is loaded only when it is needed.
      const { newLambdaApi, openConfiguredLambdaService } = await import('./lambda.ts');
      lambdaService = openConfiguredLambdaService(config, { daemonAddress, environmentVariables, log });
      closers.push(lambdaService.close);
      lambdaApi = newLambdaApi(lambdaService);
    }
    return { url: `http://${daemonAddress}`, daemonAddress, ...otlpPorts, lambdaService, close: closeAll };
  } catch (thrown) {
    // A failure to close would hide the cause.
    await closeAll().catch(() => {});
    throw thrown;
  }
}

/** Largest messages of OTLP over gRPC that may wait for capacity at once. */
const MAX_WAITING_MESSAGES = 4;

/** Opens OpenTelemetry's own ports and adds their close functions to `answering`. */
async function listenOtlpPorts(
  { host, otlpHttpPort, otlpGrpcPort, otlpMaxBytes, bodyMaxBytes }: Config,
  { otlp, metrics }: Pick<AppOptions, 'otlp' | 'metrics'>,
  { memory, log }: { readonly memory: MemoryBudget; readonly log: Logger },
  answering: (() => Promise<void>)[],
): Promise<Pick<RunningServer, 'otlpHttpUrl' | 'otlpGrpcUrl'>> {
  const by = 'a collector';
  let otlpHttpUrl: string | undefined;
  let otlpGrpcUrl: string | undefined;
  if (otlpHttpPort !== 'none') {
    const app = buildOtlpApp({ otlp, metrics, memory, log, bodyMaxBytes });
    answering.push(() => app.close());
    otlpHttpUrl = await app.listen({ host, port: otlpHttpPort }).catch((cause: unknown) => {
      throw listenError('TCP', host, otlpHttpPort, cause, { by, flag: '--otlp-http-port (or none)' });
    });
  }
  if (otlpGrpcPort !== 'none') {
    // Loaded when the other listeners answer.
    const { listenOtlpGrpc } = await import('../http/otlp-grpc.ts');
    const listener = await listenOtlpGrpc(otlp.context, {
      host,
      port: otlpGrpcPort,
      maxBytes: otlpMaxBytes,
      memory,
      log,
    }).catch((cause: unknown) => {
      throw listenError('TCP', host, otlpGrpcPort, cause, { by, flag: '--otlp-grpc-port (or none)' });
    });
    answering.push(listener.close);
    otlpGrpcUrl = `http://${authorityOf(host, listener.port)}`;
  }
  return { otlpHttpUrl, otlpGrpcUrl };
}
