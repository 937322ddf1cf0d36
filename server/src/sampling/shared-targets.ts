import { setTimeout as delay } from 'node:timers/promises';
import { OpenrayError } from '../errors.ts';
import { readObject, replaceObject } from '../store/objects.ts';
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

/** One call that waits for its targets. */
type PendingReport = {
  readonly statistics: readonly SamplingStatistics[];
  readonly nowUs: number;
  resolve(targets: readonly (SamplingTarget | undefined)[]): void;
  reject(reason: unknown): void;
};

const CLIENTS_OBJECT = { kind: 'sampling', name: 'clients' };
/** Reports are taken together at most so often: clients have ten seconds. */
const REPORT_INTERVAL_MS = 200;
const MAX_ATTEMPTS = 50;
const MAX_RETRY_DELAY_MS = 100;

/**
 * Shares reservoirs among the clients of all servers on a store. Who has been given what stands in the store, and is
 * changed by whoever takes reports: a client may report to any of the servers, and one that reports nowhere any more, as
 * when its server is gone, leaves its share to the others.
 */
export function newSharedSamplingTargets(database: Database, rules: () => readonly SamplingRule[]): SamplingTargets {
  let waiting: PendingReport[] = [];
  let isTaking = false;

  async function takeWaiting(): Promise<void> {
    isTaking = true;
    while (waiting.length > 0) {
      const callers = waiting;
      waiting = [];
      try {
        const answers = await applyPendingReports(database, rules(), callers);
        for (const [index, { resolve }] of callers.entries()) resolve(answers[index] ?? []);
      } catch (thrown) {
        for (const { reject } of callers) reject(thrown);
      }
      await delay(REPORT_INTERVAL_MS);
    }
    isTaking = false;
  }

  return {
    report: (statistics, nowUs) =>
      new Promise((resolve, reject) => {
        waiting.push({ statistics, nowUs, resolve, reject });
        if (!isTaking) void takeWaiting();
      }),
  };
}

type TargetLists = readonly (readonly (SamplingTarget | undefined)[])[];

async function applyPendingReports(
  database: Database,
  rules: readonly SamplingRule[],
  callers: readonly PendingReport[],
): Promise<TargetLists> {
  for (let tries = 1; tries <= MAX_ATTEMPTS; tries++) {
    const before = await readObject(database, CLIENTS_OBJECT);
    let clients = before?.body === undefined ? new Map() : readClients(before.body);
    const answers = callers.map(({ statistics, nowUs }) => {
      const outcome = applyReports(clients, statistics, rules, nowUs);
      clients = outcome.clients;
      return outcome.targets;
    });
    if (await replaceObject(database, CLIENTS_OBJECT, before, printClients(clients))) return answers;
    // Another server was first. Two that meet once would meet again at the same pace.
    await delay(Math.random() * MAX_RETRY_DELAY_MS);
  }
  throw new OpenrayError('ServiceUnavailable', 'Other servers share out quotas all the time; try again', {
    retryAfterSeconds: 1,
  });
}

type ClientTuple = readonly [id: string, ...values: readonly (number | null)[]];

/** By rule a list of `[id, requests a second, reported at, its own time, quota]`. */
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
