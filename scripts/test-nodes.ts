/**
 * `npm run test:nodes`: runs the suite on every supported Node, each of which npm's package `node` brings. Arguments go
 * to vitest: `npm run test:nodes -- --project unit server/src/store`. NODES=24,26 selects versions.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const MAJORS = ['20', '22', '24', '26'];
const REPOSITORY = join(import.meta.dirname, '..');
const CACHE = join(REPOSITORY, 'node_modules/.cache/nodes');

/** The folder of the program `node` of a major version. */
function nodeFolder(major: string): string {
  const prefix = join(CACHE, major);
  const folder = join(prefix, 'node_modules/node/bin');
  if (!existsSync(join(folder, 'node'))) {
    // The script of this package copies the program for the platform into it.
    const flags = [
      '--prefix',
      prefix,
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '--dangerously-allow-all-scripts',
    ];
    const { status } = spawnSync('npm', ['install', ...flags, `node@${major}`], { stdio: ['ignore', 2, 2] });
    if (status !== 0) throw new Error(`npm cannot install node@${major}`);
  }
  return folder;
}

function runSuite(major: string, args: readonly string[]): number {
  const folder = nodeFolder(major);
  const node = join(folder, 'node');
  const { stdout: version } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  process.stdout.write(`\nNode ${version}`);
  // Functions and programs of the tests find this Node on the path.
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
  const vitest = join(REPOSITORY, 'node_modules/vitest/vitest.mjs');
  return spawnSync(node, [vitest, 'run', ...args], { cwd: REPOSITORY, env, stdio: 'inherit' }).status ?? 1;
}

const majors = process.env.NODES?.split(',') ?? MAJORS;
const results = majors.map((major) => ({ major, status: runSuite(major, process.argv.slice(2)) }));
for (const { major, status } of results) {
  process.stdout.write(`Node ${major}: ${status === 0 ? 'passed' : `failed, exit ${status}`}\n`);
}
process.exitCode = results.every(({ status }) => status === 0) ? 0 : 1;
