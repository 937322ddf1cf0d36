/** One commit as git knows it; `files` are paths from the repository's root. */
export type Commit = {
  readonly id: string;
  readonly subject: string;
  readonly body: string;
  readonly files: readonly string[];
  readonly isMerge: boolean;
};

/** What a subject may begin with: a folder of the server, or a part of the repository. */
const AREAS = new Set([
  ...['api', 'cli', 'client', 'compose', 'config', 'errors', 'filter', 'forward', 'http', 'ingest', 'lambda', 'model'],
  ...[
    'query',
    'sampling',
    'stats',
    'store',
    'test-kit',
    'server',
    'console',
    'bench',
    'build',
    'ci',
    'docs',
    'examples',
  ],
  ...['fixtures', 'packages', 'release', 'runtimes', 'scripts', 'test', 'tracer'],
]);

/** Changes below these folders say why, and what was measured. */
const FOLDERS_WITH_BODY = /^server\/src\/(query|store|ingest|model)\//;

const SUBJECT_MAX_CHARACTERS = 100;

/** First words that are no imperative: articles, pronouns, and verbs in the past, as a participle or in the third person. */
const NO_IMPERATIVE =
  /^(a|an|the|it|its|this|that|these|what|who|no|every|each|all|some|one|is|are|was|were|has|have)$|^(made|kept|wrote|ran|took|went|gave|got|did|came|became|left|sent|held|found|wip)$|ed$|ing$|[^siu]s$/;

/** Verbs that only look like one of these forms. */
const BASE_FORMS = new Set([
  'bring',
  'embed',
  'exceed',
  'feed',
  'need',
  'proceed',
  'ring',
  'seed',
  'speed',
  'string',
  'swing',
]);

/** Sentences about what is wrong with a commit; empty when nothing is. The convention is in CONTRIBUTING.md. */
export function problemsOf({ subject, body, files, isMerge }: Commit): readonly string[] {
  if (isMerge) return ['is a merge: rebase or squash, so that the history reads as changes'];
  const [, areas, change] = /^([a-z-]+(?:, [a-z-]+)*): (.+)$/.exec(subject) ?? [];
  if (areas === undefined || change === undefined) return ['has no subject of the form `area: imperative, one change`'];
  const unknown = areas.split(', ').filter((area) => !AREAS.has(area));
  const firstWord = /^[\p{L}-]+/u.exec(change)?.[0].toLowerCase() ?? '';
  const isImperative = firstWord !== '' && (BASE_FORMS.has(firstWord) || !NO_IMPERATIVE.test(firstWord));
  return [
    ...unknown.map((area) => `names an unknown area: ${area}`),
    ...(isImperative ? [] : [`does not begin its change with a verb in the imperative: ${change}`]),
    ...(change.endsWith('.') ? ['ends its subject with a full stop'] : []),
    ...(subject.length > SUBJECT_MAX_CHARACTERS
      ? [`has a subject of more than ${SUBJECT_MAX_CHARACTERS} characters`]
      : []),
    ...(body.trim() === '' && files.some((file) => FOLDERS_WITH_BODY.test(file))
      ? ['changes query, store, ingest or model and has no body that says why']
      : []),
  ];
}
