import type { SamplingRule } from './rules.ts';

/** What one client reports of one rule since its last report. */
export type SamplingStatistics = {
  readonly ruleName: string;
  readonly clientId: string;
  readonly requestCount: number;
  readonly sampledCount: number;
  readonly borrowCount: number;
};

/** What a client may sample by a rule until `ttlUs`; without a quota it has only the rate yet. */
export type SamplingTarget = {
  readonly ruleName: string;
  readonly fixedRate: number;
  readonly quota: { readonly perSecond: number; readonly ttlUs: number; readonly intervalSeconds: number } | undefined;
};

type Client = { readonly requestsPerSecond: number; readonly reportedUs: number };

export type SamplingTargets = {
  /** Takes a client's report and gives its target; undefined when the rule is not known. */
  report(statistics: SamplingStatistics, nowUs: number): SamplingTarget | undefined;
};

const INTERVAL_SECONDS = 10;
const TTL_US = 5 * 60 * 1_000_000;
/** A client that misses three reports has gone; its share goes to the others. */
const GONE_US = 3 * INTERVAL_SECONDS * 1_000_000;

/**
 * Shares a rule's reservoir among the clients that reported it lately, in proportion to their demand.
 * Quotas are whole traces a second, and together never more than the reservoir.
 * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sampling.html
 */
export function newSamplingTargets(rules: () => readonly SamplingRule[]): SamplingTargets {
  const clientsOf = new Map<string, Map<string, Client>>();
  return {
    report({ ruleName, clientId, requestCount }, nowUs) {
      const rule = rules().find((candidate) => candidate.ruleName === ruleName);
      if (rule === undefined) return undefined;
      const clients = clientsOf.get(ruleName) ?? new Map<string, Client>();
      clientsOf.set(ruleName, clients);
      for (const [id, { reportedUs }] of clients) if (nowUs - reportedUs > GONE_US) clients.delete(id);
      const isFirstReport = !clients.has(clientId);
      clients.set(clientId, { requestsPerSecond: requestCount / INTERVAL_SECONDS, reportedUs: nowUs });
      if (isFirstReport) return { ruleName, fixedRate: rule.fixedRate, quota: undefined };
      const perSecond = shares(rule.reservoirSize, clients).get(clientId) ?? 0;
      const ttlUs = Math.floor((nowUs + TTL_US) / 1_000_000) * 1_000_000;
      return { ruleName, fixedRate: rule.fixedRate, quota: { perSecond, ttlUs, intervalSeconds: INTERVAL_SECONDS } };
    },
  };
}

/** Largest remainder: whole numbers that add up to the reservoir, in proportion to demand, ties by client id. */
function shares(reservoir: number, clients: ReadonlyMap<string, Client>): ReadonlyMap<string, number> {
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
