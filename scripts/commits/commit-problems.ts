import { findingsIn } from '../words/find-words.ts';
import { VERBS } from './verbs.ts';

/** One commit as git knows it; `files` are paths from the repository's root. */
export type Commit = {
  readonly id: string;
  readonly subject: string;
  readonly body: string;
  readonly files: readonly string[];
  readonly isMerge: boolean;
};

/** A subject begins with one of these: a folder or file of `server/src`, or a part of the repository. */
const SERVER_AREAS = new Set([
  ...['api', 'cli', 'client', 'compose', 'config', 'errors', 'filter', 'forward', 'http', 'ingest', 'lambda', 'model'],
  ...['query', 'sampling', 'stats', 'store', 'test-kit'],
]);
const OTHER_AREAS = new Set([
  ...['server', 'console', 'bench', 'build', 'ci', 'docs', 'examples'],
  ...['fixtures', 'packages', 'release', 'runtimes', 'scripts', 'test', 'tracer'],
]);

/** Changes of these files say why, and what was measured. */
const FILES_WITH_BODY = /^server\/(src\/(query|store|ingest|model)|migrations)\//;

/** A verb with nothing but such a word says nothing about the change. */
const VAGUE = /^\S+ (some |more |various |the )?(stuff|things?|it|this|code|bugs?|issues?|problems?|misc|files?)$/i;

const SUBJECT_MAX_CHARACTERS = 100;

/** A line that names a person, a tool or an issue for programs, such as `Co-authored-by: …` or `Change-Id: …`. */
const TRAILER =
  /^([A-Z][a-z]+(-[A-Za-z]+)+|[a-z]+(-[a-z]+)*-by|Cc|Closes|Fixes|Refs|Resolves): ?\S|^Generated (with|by) /m;

/** Sentences about what is wrong with a commit; empty when nothing is. The convention is in CONTRIBUTING.md. */
export function problemsOf({ subject, body, files, isMerge }: Commit): readonly string[] {
  if (isMerge) return ['is a merge: rebase or squash, so that the history reads as changes'];
  const { areas, change } = partsOf(subject);
  if (change === '') return ['has no subject of the form `area: imperative, one change`'];
  const unknown = areas.filter((area) => !SERVER_AREAS.has(area) && !OTHER_AREAS.has(area));
  const trailer = TRAILER.exec(body);
  return [
    ...unknown.map((area) => `names an unknown area: ${area}`),
    ...(isImperative(change) ? [] : [`does not begin its change with a verb of scripts/commits/verbs.ts: ${change}`]),
    ...(VAGUE.test(change) ? [`does not say what it changes: ${change}`] : []),
    ...(change.endsWith('.') ? ['ends its subject with a full stop'] : []),
    ...(subject.length > SUBJECT_MAX_CHARACTERS
      ? [`has a subject of more than ${SUBJECT_MAX_CHARACTERS} characters`]
      : []),
    ...(!/\p{L}/u.test(body) && files.some((file) => FILES_WITH_BODY.test(file))
      ? ['changes query, store, ingest, model or migrations and has no body that says why']
      : []),
    ...(trailer === null ? [] : [`has a trailer: ${body.slice(trailer.index).split('\n')[0]}`]),
  ];
}

/**
 * As `problemsOf`: whether a subject names several changes. A list of nouns has no comma before its `and`, and a word
 * of such a list is followed by a comma, by `and` or by `or`.
 */
export function severalChangesIn({ subject }: Pick<Commit, 'subject'>): readonly string[] {
  const { change } = partsOf(subject);
  const later = [...change.matchAll(/, (?:then )?([a-z-]+)(?= (?!and |or ))/gi)].filter(([, word = '']) =>
    VERBS.has(word.toLowerCase()),
  );
  const isSeveral = /;|, (and|or|but|then) /i.test(change) || later.length > 0;
  return isSeveral ? [`names several changes; make a commit of each: ${change}`] : [];
}

/** As `problemsOf`: a word is retired in a subject where it is retired in the files of one of its areas. */
export function retiredWordsIn({ subject }: Pick<Commit, 'subject'>): readonly string[] {
  const { areas, change } = partsOf(subject);
  const folders = areas.map((area) => (SERVER_AREAS.has(area) ? `server/src/${area}/` : `${area}/`));
  const findings = folders.flatMap((folder) => findingsIn(folder, change));
  return [...new Set(findings.map(({ word, say }) => `has the retired word "${word}" in its subject; say ${say}`))];
}

function partsOf(subject: string): { readonly areas: readonly string[]; readonly change: string } {
  const [, areas = '', change = ''] = /^([a-z-]+(?:, [a-z-]+)*): (.+)$/.exec(subject) ?? [];
  return { areas: areas === '' ? [] : areas.split(', '), change };
}

function isImperative(change: string): boolean {
  const [first = '', second = ''] = change.toLowerCase().match(/[\p{L}-]+/gu) ?? [];
  if (!change.toLowerCase().startsWith(first)) return false;
  return VERBS.has(first === 'never' ? second : first);
}
