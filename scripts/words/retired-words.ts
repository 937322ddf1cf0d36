/** A word or phrase that openray does not use, and the one that it uses instead. */
export type RetiredWord = {
  /** Searched in lower-case text in which `camelCase`, `snake_case` and `kebab-case` are separate words. */
  readonly pattern: RegExp;
  readonly say: string;
  /** Start of the paths in which the word is retired; everywhere without it. */
  readonly within?: string;
};

/*
 * Not listed, since most of their uses are right; reviewers look at them:
 *
 *   span                 a test cannot see whether a span is OpenTelemetry's
 *   outcome              right for requests and for attempts of an invocation; listed for documents (ingest, forward)
 *   map                  `Map`, `.map()`, source maps and the page; the stored table is `service_map`
 *   environment          execution environments are Lambda's word; environment variables are written out
 *   functions            a template has functions; the service is the `LambdaService`
 *   cause, causes        X-Ray's `cause` of an exception, `cause` of an Error, root causes
 *   known, few, behind   plain English besides the scans, which are listed
 *   place                a position in a text or the account and region of a resource; listed for spans and sort keys
 *   view                 a page, a database view, `ArrayBufferView`; listed for translated spans
 *   try                  the keyword, and the advice to try again
 *   say, says            "a comment says why", "the template says"; the empty forms are listed
 *   note                 a footnote of a figure or of an outcome on a page; listed for lambda/ and cli/, which have warnings
 *   take, takes          durations, parameters; "taken" is listed
 *   what                 "names what is missing"; one as a subject is for the reviewer
 */
export const RETIRED_WORDS: readonly RetiredWord[] = [
  { pattern: /\bdoors?\b/, say: 'receiver' },
  { pattern: /\bfates?\b/, say: 'result' },
  { pattern: /\bfaulty\b/, say: 'invalid, or with a fault' },
  { pattern: /\b(un)?sound(ness)?\b/, say: 'valid' },
  { pattern: /\b(span of entity|spans? of (an? |the )?(x ray )?entit(y|ies))\b/, say: 'translation of the entity' },
  { pattern: /\bx ray views?\b|\bviews? of (an?|the) spans?\b/, say: 'translation to X-Ray' },
  { pattern: /\btime windows?\b/, say: 'TimeInterval (a type), time range (on a page)' },
  { pattern: /\b(counted|settled) seq\b/, say: 'roll-up watermark, low watermark' },
  { pattern: /\bcounting\b(?! semaphore)/, say: 'roll-up; or what is counted' },
  { pattern: /\bcourses?\b/, say: 'invocation outcome, segment timings' },
  { pattern: /\b(known candidates?|scan (known|few))\b/, say: 'candidate scan' },
  { pattern: /(?<!\bin )\bplaces?\b(?! of\b)/, say: 'sort key, span with resource', within: 'server/src/query' },
  { pattern: /(?<!\bin )\bplaces?\b(?! of\b)/, say: 'sort key, span with resource', within: 'server/src/model/otlp' },
  { pattern: /\boutcomes?\b/, say: 'result', within: 'server/src/ingest' },
  { pattern: /\boutcomes?\b/, say: 'result', within: 'server/src/forward' },
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
  { pattern: /\b((say|says|said|saying) so|(a|no) say)\b/, say: 'warn, report; the noun' },
  { pattern: /\b(for want of|of which no|hand(s|ed|ing)? (it |them )?on)\b/, say: 'because … is missing; pass on' },
  { pattern: /\btaken\b/, say: 'in use, received, copied' },
  { pattern: /\bgone\b/, say: 'deleted, closed, disconnected, expired' },
  { pattern: /\b(in between|as ever)\b/, say: 'between; nothing' },
  { pattern: /\bnot(e|es|ed|ing)\b/, say: 'warning; record', within: 'server/src/lambda' },
  { pattern: /\bnot(e|es|ed|ing)\b/, say: 'warning, message', within: 'server/src/cli' },
];

/** Places where a retired word is another word, belongs to somebody else, or is stored data. */
export const EXCEPTIONS: readonly { readonly file: string; readonly pattern: RegExp; readonly why: string }[] = [
  { file: 'scripts/words/', pattern: /./, why: 'the list itself' },
  { file: 'scripts/commits/commit-problems.test.ts', pattern: /^(taken|gone)$/, why: 'subjects that are refused' },
  {
    file: 'server/migrations/0002_servers_and_claims.sql',
    pattern: /^tells$/,
    why: 'a store keeps the checksum of a migration',
  },
  { file: 'server/src/api/xray/put-trace-segments.ts', pattern: /^can not$/, why: "AWS's own sentence" },
  { file: 'test/xray-api.test.ts', pattern: /^can not$/, why: "AWS's own sentence" },
  { file: 'server/src/ingest/otlp-span-rows.ts', pattern: /^outcome$/, why: 'the import of model/outcome.ts' },
  { file: 'server/src/ingest/segment-rows.ts', pattern: /^outcome$/, why: 'the outcome of an entity' },
  { file: 'server/src/lambda/services/schedules.test.ts', pattern: /^time window$/, why: "AWS's FlexibleTimeWindow" },
  { file: 'server/src/store/maintenance/maintenance-lock.ts', pattern: /^upkeep$/, why: 'the stored name of a lease' },
  {
    file: 'server/src/store/maintenance/retention.ts',
    pattern: /^thinn(ed|ing)$/,
    why: 'the stored name and kind of an object',
  },
  {
    file: 'server/src/query/retention/apply-rules.ts',
    pattern: /^thinned$/,
    why: 'a stored insert token: a new name could subtract an interrupted slice twice',
  },
];
