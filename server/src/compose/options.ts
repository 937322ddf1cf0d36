import { join, resolve } from 'node:path';
import { type Config, isLoopback } from '../config.ts';
import { OpenrayError } from '../errors.ts';
import type { ForwardOptions } from '../forward/forwarder.ts';
import { otlpEndpoint } from '../forward/otlp-endpoint.ts';
import { xrayTarget } from '../forward/xray-sender.ts';
import { longestRetentionDays, type RetentionPlan, readRetentionRule } from '../query/retention/rules.ts';
import type { StoreOptions } from '../store/open-store.ts';
import { memoryLimits } from './memory-limits.ts';
import type { ServerProcess } from './process.ts';

/** Throws SettingInvalid when a rule does not parse. */
export function retentionPlan({ retentionDays, retentionRules }: Config): RetentionPlan {
  return { defaultDays: retentionDays, rules: retentionRules.map(readRetentionRule) };
}

/** Throws SettingInvalid when a retention rule does not parse. */
export function storeOptions(
  config: Config,
  { log }: Pick<ServerProcess, 'log'>,
  retention = retentionPlan(config),
): StoreOptions {
  const memory = memoryLimits(config);
  return {
    storeUrl: config.storeUrl,
    dataDir: config.dataDir,
    poolSize: config.poolSize,
    maxQueryMs: config.queryMaxMs,
    maxQueryMemoryBytes: memory.queryBytes,
    engineMemoryBytes: memory.engineBytes,
    queueMaxBytes: memory.queueBytes,
    recentMaxBytes: memory.recentBytes,
    journal: config.journal,
    retentionDays: longestRetentionDays(retention),
    retentionDefaultDays: config.retentionDays,
    retentionBytes: config.retentionMaxBytes,
    retentionTrustClock: config.retentionTrustClock,
    fsync: config.fsync,
    traceBounds: { documents: config.traceMaxDocuments, bytes: config.traceMaxBytes },
    backupDir: resolve(config.backupDir ?? join(config.dataDir, 'backups')),
    backupDisk: config.backupDisk,
    log,
  };
}

/** Throws SettingInvalid when the server would forward to itself, which would never end. */
export function forwardOptions({
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
      throw new OpenrayError('SettingInvalid', `port ${targetPort} is this server's own: it cannot forward to itself`);
    }
  }
  return {
    otlp: forwardOtlp === undefined ? undefined : otlpEndpoint(forwardOtlp, { protocol, headers }),
    xray: forwardXray === undefined ? undefined : xrayTarget(forwardXray, region),
    queueMaxBytes: forwardQueueMaxBytes,
  };
}
