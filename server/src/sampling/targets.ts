import type { SamplingRule } from './rules.ts';

/** Counts of one client and one rule since the client's last report. */
export type SamplingStatistics = {
  readonly ruleName: string;
  readonly clientId: string;
  /** Time of the report by the client's clock. Identifies a repeated report. */
  readonly timestampUs: number;
  readonly requestCount: number;
  readonly sampledCount: number;
  readonly borrowCount: number;
};

/** Quota and rate of a client for a rule, valid until `ttlUs`. Without a quota the client uses only the rate. */
export type SamplingTarget = {
  readonly ruleName: string;
  readonly fixedRate: number;
  readonly quota: { readonly perSecond: number; readonly ttlUs: number; readonly intervalSeconds: number } | undefined;
};

export type SamplingTargets = {
  /** Applies reports and returns a target for each, in the same order; undefined for an unknown rule. */
  report(statistics: readonly SamplingStatistics[], nowUs: number): Promise<readonly (SamplingTarget | undefined)[]>;
};

/** A client of a rule: its demand by its last report, and its quota. */
export type SamplingClient = {
  readonly requestsPerSecond: number;
  readonly reportedUs: number;
  readonly timestampUs: number;
  /** Traces a second; undefined before its second report. */
  readonly quota: number | undefined;
};

/** By rule and client id, all clients that reported within CLIENT_TIMEOUT_US. */
export type SamplingClients = ReadonlyMap<string, ReadonlyMap<string, SamplingClient>>;

const INTERVAL_SECONDS = 10;
const TTL_US = 5 * 60 * 1_000_000;
/** A client that misses three reports is removed; the others receive its share. */
const CLIENT_TIMEOUT_US = 3 * INTERVAL_SECONDS * 1_000_000;
/** Reports whose own time is older or newer are accepted and change nothing. */
const MAX_CLOCK_SKEW_US = TTL_US;

/** Divides reservoirs among the clients that report to this process. */
export function newSamplingTargets(rules: () => readonly SamplingRule[]): SamplingTargets {
  let clients: SamplingClients = new Map();
  return {
    async report(statistics, nowUs) {
      const applied = applyReports(clients, statistics, rules(), nowUs);
      clients = applied.clients;
      return applied.targets;
    },
  };
}

/**
 * Divides a rule's reservoir among its active clients, in proportion to their demand.
 * Quotas are whole traces a second, and their sum never exceeds the reservoir. A client receives only the part of its
 * share that is not in the quotas of others, and the rest after their next reports have reduced those quotas.
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sampling.html
 */
export function applyReports(
  before: SamplingClients,
  statistics: readonly SamplingStatistics[],
  rules: readonly SamplingRule[],
  nowUs: number,
): { readonly clients: SamplingClients; readonly targets: readonly (SamplingTarget | undefined)[] } {
  const clients = new Map<string, Map<string, SamplingClient>>();
  for (const { ruleName } of rules) clients.set(ruleName, activeClients(before.get(ruleName), nowUs));
  const targets = statistics.map((report) => {
    const rule = rules.find(({ ruleName }) => ruleName === report.ruleName);
    const ofRule = clients.get(report.ruleName);
    return rule && ofRule && applyReport(rule, ofRule, report, nowUs);
  });
  return { clients, targets };
}

function activeClients(before: ReadonlyMap<string, SamplingClient> | undefined, nowUs: number) {
  return new Map([...(before ?? [])].filter(([, { reportedUs }]) => nowUs - reportedUs <= CLIENT_TIMEOUT_US));
}

function applyReport(
  rule: SamplingRule,
  clients: Map<string, SamplingClient>,
  { clientId, timestampUs, requestCount }: SamplingStatistics,
  nowUs: number,
): SamplingTarget {
  const known = clients.get(clientId);
  const isRepeated = known?.timestampUs === timestampUs;
  if (!isRepeated && Math.abs(nowUs - timestampUs) <= MAX_CLOCK_SKEW_US) {
    const report = { requestsPerSecond: requestCount / INTERVAL_SECONDS, reportedUs: nowUs, timestampUs };
    clients.set(clientId, { ...report, quota: known?.quota });
    if (known) clients.set(clientId, { ...report, quota: quotaOf(clientId, rule.reservoirSize, clients) });
  }
  const perSecond = clients.get(clientId)?.quota;
  const { ruleName, fixedRate } = rule;
  if (perSecond === undefined) return { ruleName, fixedRate, quota: undefined };
  const ttlUs = Math.floor((nowUs + TTL_US) / 1_000_000) * 1_000_000;
  return { ruleName, fixedRate, quota: { perSecond, ttlUs, intervalSeconds: INTERVAL_SECONDS } };
}

function quotaOf(clientId: string, reservoir: number, clients: ReadonlyMap<string, SamplingClient>): number {
  const share = reservoirShares(reservoir, clients).get(clientId) ?? 0;
  const givenToOthers = [...clients].reduce((sum, [id, { quota }]) => (id === clientId ? sum : sum + (quota ?? 0)), 0);
  return Math.max(0, Math.min(share, reservoir - givenToOthers));
}

/** Largest remainder method: whole numbers in proportion to demand whose sum is the reservoir, ties by client id. */
function reservoirShares(reservoir: number, clients: ReadonlyMap<string, SamplingClient>): ReadonlyMap<string, number> {
  const all = [...clients].sort(([a], [b]) => (a < b ? -1 : 1));
  const demand = all.reduce((sum, [, { requestsPerSecond }]) => sum + requestsPerSecond, 0);
  const exact = all.map(([id, { requestsPerSecond }]) => {
    const share = demand === 0 ? reservoir / all.length : (reservoir * requestsPerSecond) / demand;
    return { id, whole: Math.floor(share), rest: share - Math.floor(share) };
  });
  let left = reservoir - exact.reduce((sum, { whole }) => sum + whole, 0);
  const byRest = [...exact].sort((a, b) => b.rest - a.rest);
  const quotas = new Map(exact.map(({ id, whole }) => [id, whole]));
  for (const { id, whole } of byRest) {
    if (left < 1) break;
    quotas.set(id, whole + 1);
    left -= 1;
  }
  return quotas;
}
