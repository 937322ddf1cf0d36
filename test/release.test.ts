import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { removeFolder, temporaryFolder } from './support/server.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFile(`${ROOT}${path}`, 'utf8');
const readJson = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

type Job = {
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly strategy?: { readonly matrix: { readonly node: readonly number[] } };
  readonly steps?: readonly { readonly uses?: string; readonly run?: string; readonly name?: string }[];
};
type Workflow = {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
};

const files = await readdir(`${ROOT}.github/workflows`);
const workflows = await Promise.all(
  files.map(async (file): Promise<readonly [string, string, Workflow]> => {
    const text = await read(`.github/workflows/${file}`);
    return [file, text, parseYaml(text) as Workflow];
  }),
);
const workflow = (name: string) => workflows.find(([file]) => file === name)?.[2] as Workflow;
const runsOf = ({ jobs }: Workflow) =>
  Object.values(jobs).flatMap(({ steps = [] }) => steps.flatMap(({ run }) => (run === undefined ? [] : [run])));

async function folderForThisTest(): Promise<string> {
  const folder = await temporaryFolder();
  onTestFinished(() => removeFolder(folder));
  return folder;
}

describe('workflows', () => {
  test.each(workflows)('%s: every action has a full version', (_file, text) => {
    const actions = [...text.matchAll(/uses: (\S+)/g)].map(([, action]) => action as string);
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions.filter((name) => !name.startsWith('./'))) {
      expect(action).toMatch(/^actions\/[a-z-]+@v\d+\.\d+\.\d+$/);
    }
  });

  test.each(workflows)('%s: no job reads a secret, and every job ends', (_file, text, { jobs }) => {
    expect(text).not.toContain('secrets.');
    for (const [name, job] of Object.entries(jobs)) {
      if (job.uses === undefined) expect(job['timeout-minutes'], name).toBeGreaterThan(0);
    }
  });

  test('one job may publish, another may create the release page, all others only read', () => {
    const written = workflows.flatMap(([file, , { permissions, jobs }]) => [
      ...Object.entries(permissions).map(([right, level]) => [`${file}`, right, level]),
      ...Object.entries(jobs).flatMap(([job, { permissions: own = {} }]) =>
        Object.entries(own).map(([right, level]) => [`${file} ${job}`, right, level]),
      ),
    ]);
    expect(written.filter(([, , level]) => level !== 'read')).toEqual([
      ['release.yml publish', 'id-token', 'write'],
      ['release.yml release-page', 'contents', 'write'],
    ]);
  });

  test.each(workflows)('%s: every npm command is in package.json', async (_file, _text, { jobs }) => {
    const { scripts } = (await readJson(`${ROOT}package.json`)) as { scripts: Record<string, string> };
    for (const run of runsOf({ permissions: {}, jobs })) {
      for (const [, name] of run.matchAll(/npm run ([\w:-]+)/g)) expect(scripts).toHaveProperty(name as string);
    }
  });

  test('the ci workflow runs the check script, and the commands of the page about containers', async () => {
    const runs = runsOf(workflow('ci.yml'));
    expect(runs).toContain('.ci/run');
    const page = await read('docs/how-to/docker.md');
    const [start] = runs.filter((run) => run.includes('docker compose up')) as [string];
    for (const line of start.trim().split('\n')) expect(page).toContain(line.replace(/ --wait-timeout.*/, ''));
  });

  test('a release is tested by ci before it is published', () => {
    const { jobs } = workflow('release.yml') as { jobs: Record<string, Job & { needs?: string }> };
    expect(jobs.ci?.uses).toBe('./.github/workflows/ci.yml');
    expect([jobs.package?.needs, jobs.publish?.needs, jobs['release-page']?.needs]).toEqual([
      'ci',
      'package',
      'publish',
    ]);
  });
});

describe('steps of the release', () => {
  const step = (part: string) => runsOf(workflow('release.yml')).find((run) => run.includes(part)) as string;
  const shell = (script: string, cwd = ROOT) => execFileSync('bash', ['-e', '-c', script], { cwd, encoding: 'utf8' });

  test('the notes of the release page are the part of the newest version', async () => {
    const folder = await folderForThisTest();
    await mkdir(join(folder, 'server'));
    await mkdir(join(folder, 'release'));
    await writeFile(join(folder, 'server/CHANGELOG.md'), '# openray\n\n## 0.3.0\n\n- new\n\n## 0.2.0\n\n- old\n');
    shell(step('awk'), folder);
    expect(await readFile(join(folder, 'release/notes.md'), 'utf8')).toBe('## 0.3.0\n\n- new\n\n');
  });

  test('a changeset becomes the version of openray and a part of its changelog, and changes nothing else', async () => {
    const folder = await folderForThisTest();
    const manifests = ['package.json', 'server/package.json', 'console/package.json'];
    const examples = (await readdir(`${ROOT}examples`)).map((name) => `examples/${name}/package.json`);
    for (const file of [...manifests, ...examples, '.changeset/config.json', 'server/CHANGELOG.md']) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await cp(`${ROOT}${file}`, join(folder, file));
    }
    const sentence = 'Traces are kept.';
    await writeFile(join(folder, '.changeset/a-change.md'), `---\n"openray": minor\n---\n\n${sentence}\n`);
    const git = (...args: readonly string[]) =>
      execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@localhost', ...args], {
        cwd: folder,
        encoding: 'utf8',
      });
    git('init', '--quiet', '--initial-branch=main');
    git('add', '.');
    git('commit', '--quiet', '--message=before');

    const before = (await readJson(join(folder, 'server/package.json'))) as { version: string };
    execFileSync(`${ROOT}node_modules/.bin/changeset`, ['version'], { cwd: folder, stdio: 'pipe' });

    const [major, minor] = before.version.split('.').map(Number) as [number, number];
    const version = `${major}.${minor + 1}.0`;
    expect((await readJson(join(folder, 'server/package.json'))).version).toBe(version);
    const changelog = await readFile(join(folder, 'server/CHANGELOG.md'), 'utf8');
    expect(changelog).toMatch(new RegExp(`^# openray\n\n## ${version}\n\n### Minor Changes\n\n- .*${sentence}\n`));
    const changed = git('status', '--porcelain').trimEnd().split('\n');
    expect(changed.map((line) => line.slice(3)).sort()).toEqual([
      '.changeset/a-change.md',
      'server/CHANGELOG.md',
      'server/package.json',
    ]);
  });
});

describe('templates of issues', () => {
  test.each(['bug.yml', 'idea.yml'])('%s has what the host needs to show a form', async (file) => {
    const form = parseYaml(await read(`.github/ISSUE_TEMPLATE/${file}`)) as {
      readonly name: string;
      readonly description: string;
      readonly body: readonly {
        readonly type: string;
        readonly id?: string;
        readonly attributes: { readonly label?: string; readonly value?: string };
      }[];
    };
    expect(form.name.length * form.description.length).toBeGreaterThan(0);
    const ids = form.body.flatMap(({ id }) => (id === undefined ? [] : [id]));
    expect(new Set(ids).size).toBe(ids.length);
    for (const { type, attributes } of form.body) {
      expect(['markdown', 'textarea']).toContain(type);
      expect(type === 'markdown' ? attributes.value : attributes.label).toBeTruthy();
    }
  });

  test('the pages that templates name are there', async () => {
    for (const page of ['SECURITY.md', 'CODE_OF_CONDUCT.md', 'CONTRIBUTING.md', '.changeset/README.md']) {
      expect(await read(page), basename(page)).toMatch(/^# /);
    }
  });
});
