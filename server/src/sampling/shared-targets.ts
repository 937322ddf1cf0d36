import { setTimeout as delay } from 'node:timers/promises';
import { OpenrayError } from '../errors.ts';
import { isStoreAway, readObject, replaceObject } from '../store/objects.ts';
import type { Store } from '../store/store.ts';
import type { SamplingRule } from './rules.ts';
import {
  applyReports,
  type SamplingClient,
  type SamplingClients,
  type SamplingStatistics,
  type SamplingTarget,
  type SamplingTargets,
} from './targets.ts';

type Database = Pick<Store, 'query' | 'command'>;

/** A call that waits for its targets. */
type PendingReport = {
  readonly statistics: readonly SamplingStatistics[];
  readonly nowUs: number;
  resolve(targets: readonly (SamplingTarget | undefined)[]): void;
  reject(reason: unknown): void;
};

const CLIENTS_OBJECT = { kind: 'sampling', name: 'clients' };
/** Interval at which waiting reports are applied together. Short against the ten seconds between a client's reports. */
const REPORT_INTERVAL_MS = 200;
const MAX_ATTEMPTS = 50;
const MAX_RETRY_DELAY_MS = 100;

/**
 * Divides reservoirs among the clients of all servers on a store. The store holds the quotas of all clients, and each
 * server changes them when it receives reports. So a client may report to any server. The others receive the share of a
 * client that stops reporting, for example because its server was stopped.
 *
 * While the store is away, each server continues alone from the quotas that it read last. The sum of quotas may then
 * exceed a reservoir; the first report after the outage continues from the store.
 */
export function newSharedSamplingTargets(database: Database, rules: () => readonly SamplingRule[]): SamplingTargets {
  let waiting: PendingReport[] = [];
  let isApplying = false;
  /** As the store had them when this server last changed them; changed by this server alone while the store is away. */
  let lastClients: SamplingClients = new Map();

  async function applyWaiting(): Promise<void> {
    isApplying = true;
    while (waiting.length > 0) {
      const callers = waiting;
      waiting = [];
      try {
        const applied = await applyPendingReports(database, rules(), callers).catch((thrown) => {
          if (isStoreAway(thrown)) return applyTo(lastClients, rules(), callers);
          throw thrown;
        });
        lastClients = applied.clients;
        for (const [index, { resolve }] of callers.entries()) resolve(applied.targets[index] ?? []);
      } catch (thrown) {
        for (const { reject } of callers) reject(thrown);
      }
      await delay(REPORT_INTERVAL_MS);
    }
    isApplying = false;
  }

  return {
    report: (statistics, nowUs) =>
      new Promise((resolve, reject) => {
        waiting.push({ statistics, nowUs, resolve, reject });
        if (!isApplying) void applyWaiting();
      }),
  };
}

type AppliedReports = {
  readonly clients: SamplingClients;
  /** One list a caller. */
  readonly targets: readonly (readonly (SamplingTarget | undefined)[])[];
};

function applyTo(
  before: SamplingClients,
  rules: readonly SamplingRule[],
  callers: readonly PendingReport[],
): AppliedReports {
  let clients = before;
  const targets = callers.map(({ statistics, nowUs }) => {
    const applied = applyReports(clients, statistics, rules, nowUs);
    clients = applied.clients;
    return applied.targets;
  });
  return { clients, targets };
}

async function applyPendingReports(
  database: Database,
  rules: readonly SamplingRule[],
  callers: readonly PendingReport[],
): Promise<AppliedReports> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const before = await readObject(database, CLIENTS_OBJECT);
    const clients = before?.body === undefined ? new Map() : readClients(before.body);
    const applied = applyTo(clients, rules, callers);
    if (await replaceObject(database, CLIENTS_OBJECT, before, printClients(applied.clients))) return applied;
    // Another server was first. The delay is random: two servers with equal delays would collide again.
    await delay(Math.random() * MAX_RETRY_DELAY_MS);
  }
  throw new OpenrayError('ServiceUnavailable', 'The sampling quotas are being changed by other servers; try again', {
    retryAfterSeconds: 1,
  });
}

type ClientTuple = readonly [id: string, ...values: readonly (number | null)[]];

/** By rule a list of `[id, requests a second, reported at, time by its own clock, quota]`. */
export function printClients(clients: SamplingClients): string {
  const texts = Array.from(clients, ([rule, ofRule]): [string, readonly ClientTuple[]] => [
    rule,
    Array.from(ofRule, ([id, { requestsPerSecond, reportedUs, timestampUs, quota }]) => [
      id,
      requestsPerSecond,
      reportedUs,
      timestampUs,
      quota ?? null,
    ]),
  ]);
  return JSON.stringify(Object.fromEntries(texts));
}

export function readClients(text: string): SamplingClients {
  const rules: Readonly<Record<string, readonly ClientTuple[]>> = JSON.parse(text);
  return new Map(
    Object.entries(rules).map(([rule, ofRule]) => [
      rule,
      new Map(
        ofRule.map(([id, requestsPerSecond, reportedUs, timestampUs, quota]): [string, SamplingClient] => [
          id,
          {
            requestsPerSecond: requestsPerSecond ?? 0,
            reportedUs: reportedUs ?? 0,
            timestampUs: timestampUs ?? 0,
            quota: quota ?? undefined,
          },
        ]),
      ),
    ]),
  );
}
