/** A word or phrase that openray does not use, and the one that it uses instead. */
export type RetiredWord = {
  /** Searched in lower-case text in which `camelCase`, `snake_case` and `kebab-case` are separate words. */
  readonly pattern: RegExp;
  readonly say: string;
  /** Start of the paths in which the word is retired; everywhere without it. */
  readonly within?: string;
};

export const RETIRED_WORDS: readonly RetiredWord[] = [
  { pattern: /\bdoors?\b/, say: 'receiver' },
  { pattern: /\bfates?\b/, say: 'result' },
  { pattern: /\bfaulty\b/, say: 'invalid, or with a fault' },
  { pattern: /\bsound(?= (document|record|span|segment|header|row|value|json))/, say: 'valid' },
  { pattern: /\btime windows?\b/, say: 'TimeInterval (a type), time range (on a page)' },
  { pattern: /\b(counted|settled) seq\b/, say: 'roll-up watermark, low watermark' },
  { pattern: /\b(keep rolling|map sums?|counted for the map)\b/, say: 'roll-up worker, roll-up' },
  { pattern: /\b(thin out|thins|thinned|thinning)\b/, say: 'apply retention rules' },
  { pattern: /\barrivals?(?= (elsewhere|of store))|\barrivals\b/, say: 'notification' },
  { pattern: /\bupkeep\b/, say: 'maintenance lock' },
  { pattern: /\bdoubt(s|ed)?\b/, say: 'invalidate' },
  { pattern: /\bforg[eo]ts?\b|\bforgotten\b/, say: 'evict, drop' },
  { pattern: /\bparcels?\b/, say: 'outbound document, outbound batch' },
  { pattern: /\bresiduals?\b/, say: 'round trip' },
  { pattern: /\bstand[- ]ins?\b|\bstanding alone\b/, say: 'synthetic span' },
  { pattern: /\btakers?\b/, say: 'consumer' },
  { pattern: /\b(un)?packed bod(y|ies)\b/, say: 'content encoding' },
  { pattern: /\bbrowser guard\b/, say: 'origin check' },
  { pattern: /\b(gone|goes) away\b/, say: 'disconnect' },
  { pattern: /\bpure (service graph|time series)\b/, say: 'reference' },
  { pattern: /\bfunction (pool|set)s?\b/, say: 'environment pool, function registry' },
  { pattern: /\bprocess guard\b/, say: 'orphan reaper' },
  { pattern: /\bslots?\b/, say: 'semaphore', within: 'server/src/lambda' },
  { pattern: /\bwalk(s|ed|ing)?\b/, say: 'candidate scan', within: 'server/src/query' },
  { pattern: /\bdrivers?\b/, say: 'seed predicate', within: 'server/src/query' },
  { pattern: /\bnarrow(s|ed|er|ing)?\b/, say: 'pushdown, prefilter', within: 'server/src' },
  { pattern: /\b(shape|newer shape) of (a|the) function s own segment\b|\btrace shape\b/, say: 'trace format' },
  { pattern: /\bcan not\b/, say: 'cannot' },
  { pattern: /\b(whoever|whatever|nobody|somebody|whichever)\b/, say: 'the noun' },
  { pattern: /\b(told|tells?|telling)\b/, say: 'notify, report, show' },
  { pattern: /\bgone\b/, say: 'deleted, closed, disconnected, expired' },
  { pattern: /\b(in between|as ever)\b/, say: 'between; nothing' },
  { pattern: /\bnote (the|that|it|them)\b(?! that)/, say: 'warn, record', within: 'server/src/lambda' },
];

/** Places where a retired word is another word, belongs to somebody else, or is stored data. */
export const EXCEPTIONS: readonly { readonly file: string; readonly pattern: RegExp; readonly why: string }[] = [
  { file: 'scripts/words/', pattern: /./, why: 'the list itself' },
  { file: 'server/migrations/', pattern: /./, why: 'a store keeps the checksum of a migration' },
  { file: 'server/src/api/xray/put-trace-segments.ts', pattern: /^can not$/, why: "AWS's own sentence" },
  { file: 'test/xray-api.test.ts', pattern: /^can not$/, why: "AWS's own sentence" },
  { file: 'server/src/lambda/services/schedules.test.ts', pattern: /^time window$/, why: "AWS's FlexibleTimeWindow" },
  { file: 'server/src/store/maintenance-lock.ts', pattern: /^upkeep$/, why: 'the stored name of a lease' },
  { file: 'server/src/store/retention.ts', pattern: /^thinn(ed|ing)$/, why: 'the stored name and kind of an object' },
  {
    file: 'server/src/query/retention/apply-rules.ts',
    pattern: /^thinned$/,
    why: 'a stored insert token: a new name could subtract an interrupted slice twice',
  },
];
