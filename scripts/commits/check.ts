// `npm run check:commits`: messages of the commits since the convention began, against CONTRIBUTING.md.
import { execFileSync } from 'node:child_process';
import { type Commit, problemsOf, retiredWordsIn, severalChangesIn } from './commit-problems.ts';

/** The last commit before the convention was checked. */
const LAST_UNCHECKED = 'e7b66c82222ee029cffeaea091228316257d0c47';

/** The last commit before subjects with several changes were refused. */
const LAST_WITH_SEVERAL_CHANGES = 'd42ed4f78469144715970d8fdb388211b277a8f1';

/** The last commit before subjects with retired words were refused. */
const LAST_WITH_RETIRED_WORDS = '23d90ae1de17419429d81e68ead01b54b4288f7c';

const RECORD = '\u001e';
const FIELD = '\u001f';

if (!isKnown(LAST_UNCHECKED)) {
  // A shallow clone has no history to check.
  console.log(`check:commits: ${LAST_UNCHECKED.slice(0, 7)} is not in this clone; nothing checked`);
} else {
  const commits = readCommits(`${LAST_UNCHECKED}..HEAD`);
  const [singles, plain] = [idsSince(LAST_WITH_SEVERAL_CHANGES), idsSince(LAST_WITH_RETIRED_WORDS)];
  const problems = commits.flatMap((commit) =>
    [
      ...problemsOf(commit),
      ...(singles.has(commit.id) ? severalChangesIn(commit) : []),
      ...(plain.has(commit.id) ? retiredWordsIn(commit) : []),
    ].map((problem) => `${commit.id.slice(0, 7)} ${problem}`),
  );
  for (const problem of problems) console.error(problem);
  console.log(`check:commits: ${commits.length} commits, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function isKnown(id: string): boolean {
  try {
    git('cat-file', '-e', `${id}^{commit}`);
    return true;
  } catch {
    return false;
  }
}

function idsSince(id: string): ReadonlySet<string> {
  return new Set(git('rev-list', `${id}..HEAD`).split('\n'));
}

function readCommits(range: string): Commit[] {
  const format = `${RECORD}%H${FIELD}%P${FIELD}%s${FIELD}%b${FIELD}`;
  const records = git('log', '--name-only', '--no-renames', `--format=${format}`, range).split(RECORD).slice(1);
  return records.map((record) => {
    const [id = '', parents = '', subject = '', body = '', files = ''] = record.split(FIELD);
    return { id, subject, body, files: files.split('\n').filter(Boolean), isMerge: parents.includes(' ') };
  });
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 64 * 1024 * 1024,
  });
}
