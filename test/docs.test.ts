import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GetTraceSummariesCommand } from '@aws-sdk/client-xray';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment } from '../scripts/openray.ts';
import { aroundNow } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';
import { waitFor } from './support/wait.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const pages = readdirSync(`${ROOT}docs`, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`)
  .concat('README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CODE_OF_CONDUCT.md', '.changeset/README.md')
  .concat('examples/user-registration/README.md');

const read = (page: string) => readFileSync(`${ROOT}${page}`, 'utf8');
const shellBlocks = (page: string) =>
  [...read(page).matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block as string);

test.each(pages)('%s: every link inside the repository has a target', (page) => {
  const folder = new URL(`../${page}`, import.meta.url);
  const links = [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)].map(
    ([, link]) => link as string,
  );
  for (const link of links) {
    const target = fileURLToPath(new URL(link, folder));
    expect(() => readFileSync(target), `${page} links to ${link}`).not.toThrow(/ENOENT/);
  }
});

test.each(pages)('%s: every npm command is in package.json', (page) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const local = JSON.parse(read('examples/user-registration/package.json')) as { scripts: Record<string, string> };
  const known = new Set([...Object.keys(scripts), ...Object.keys(local.scripts), 'install', 'ci']);
  for (const [, name] of read(page).matchAll(/npm run ([a-z][\w:-]*)/g)) {
    expect(known, `${page}: npm run ${name}`).toContain(name);
  }
});

describe('docs/reliability.md', () => {
  const promises = read('docs/reliability.md')
    .slice(0, read('docs/reliability.md').indexOf('## Kills'))
    .split(/^- /m)
    .slice(1)
    .map((item) => item.replace(/\n#.*$/s, '').replace(/\s+/g, ' '));
  const testsOf = (item: string) =>
    [...item.matchAll(/`([\w/.-]+\.test\.ts)`: “([^”]+)”/g)].map(([, file = '', name = '']) => ({ file, name }));

  test.each(promises)('there is a test or a command for: %s', (item) => {
    expect(item).toMatch(/\.test\.ts`: “|`npm run /);
  });

  test.each(promises.flatMap(testsOf))('$file has the test “$name”', ({ file, name }) => {
    expect(stringsIn(read(file))).toContain(name);
  });
});

/** The strings in quotes of a source text, with `…` for each placeholder of a test's name. */
function stringsIn(source: string): readonly string[] {
  return [...source.matchAll(/'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"/g)].map(([, single, double]) =>
    (single ?? double ?? '').replace(/%[sdij]|\$\w+/g, '…'),
  );
}

describe('sending traces by hand with the commands of the how-to', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer();
  });

  afterAll(async () => {
    await server.stop();
    await removeFolder(server.dataDir);
  });

  test('works with a datagram from the shell, and with the AWS CLI where it is installed', async () => {
    const hasCli = spawnSync('aws', ['--version']).status === 0;
    const port = server.daemonAddress.split(':')[1] as string;
    const script = shellBlocks('docs/how-to/send-traces.md')
      .filter((block) => block.includes('by-hand') && (hasCli || !block.includes('aws xray')))
      .join('')
      .replaceAll('2000', port);
    const { status, stderr } = spawnSync('bash', ['-e', '-c', script], {
      encoding: 'utf8',
      env: cleanEnvironment({ AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' }),
    });
    expect(status, stderr).toBe(0);
    const [trace] = await waitFor('the trace', async () => {
      const command = new GetTraceSummariesCommand({ ...aroundNow(), FilterExpression: 'service("by-hand")' });
      const { TraceSummaries = [] } = await server.xray.send(command);
      return TraceSummaries.length > 0 ? TraceSummaries : undefined;
    });
    expect(trace?.EntryPoint?.Name).toBe('by-hand');
  });
});
