import { spawnSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cleanEnvironment } from '../scripts/openray.ts';
import { findJest } from './support/jest.ts';
import { removeFolder, temporaryFolder } from './support/server.ts';

const REPOSITORY = join(import.meta.dirname, '..');

const JEST = findJest();

const TEMPLATE = `
Resources:
  Register: {Type: AWS::Serverless::Function, Properties: {CodeUri: app, Handler: index.handler, Runtime: nodejs20.x, Tracing: Active}}
`;

/** A user's test file. The tests below add the imports, which differ by module format. */
const JEST_TEST = `
let openray;
beforeAll(async () => {
  openray = await startOpenray({ template: 'template.yaml' });
});
afterAll(() => openray.close());

test('the trace of an invocation', async () => {
  const { result, trace } = await openray.invoke('Register', { user: 'brian1' });
  expect(result).toBe('brian1');
  const recorded = await trace();
  expect(recorded).toBeOk();
  expect(recorded).toHaveSegment('Register', { origin: 'AWS::Lambda::Function' });
  expect(recorded).toHaveSubsegment(/^Invocation$/);
  expect(recorded).not.toHaveFault();
});

test('a failing expectation', async () => {
  const { trace } = await openray.invoke('Register', {});
  expect(await trace()).toHaveSubsegment('## nowhere');
});
`;

const NODE_TEST = `
import assert from 'node:assert';
import { after, before, test } from 'node:test';
import { expectTrace, startOpenray } from 'openray/testing';

let openray;
before(async () => {
  openray = await startOpenray({ template: 'template.yaml' });
});
after(() => openray.close());

test('the trace of an invocation', async () => {
  const { result, trace } = await openray.invoke('Register', { user: 'brian1' });
  assert.equal(result, 'brian1');
  expectTrace(await trace()).toHaveSegment('Register', { origin: 'AWS::Lambda::Function' });
  expectTrace(await trace()).not.toHaveFault();
});

test('a failing expectation', async () => {
  const { trace } = await openray.invoke('Register', {});
  expectTrace(await trace()).toHaveSubsegment('## nowhere');
});
`;

/** Runs a program in a new project that has openray installed. */
async function run(files: Readonly<Record<string, string>>, args: readonly string[], nodeOptions = '') {
  const folder = await temporaryFolder();
  onTestFinished(() => removeFolder(folder));
  await mkdir(join(folder, 'app'));
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(REPOSITORY, 'server'), join(folder, 'node_modules/openray'));
  const all = {
    ...files,
    'template.yaml': TEMPLATE,
    'app/package.json': '{}',
    'app/index.js': 'exports.handler = async ({ user }) => user;',
  };
  for (const [name, text] of Object.entries(all)) await writeFile(join(folder, name), text);
  const env = cleanEnvironment({ NODE_OPTIONS: nodeOptions, CI: 'true', FORCE_COLOR: '0' });
  delete env.NODE_TEST_CONTEXT;
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
  return { output: `${stdout}${stderr}`, status };
}

const TREE = /expected the trace to have a subsegment "## nowhere"/;
const SETUP = { setupFilesAfterEnv: ['openray/testing/jest'] };

test.skipIf(JEST === undefined).each([
  [
    'ES modules',
    { 'package.json': JSON.stringify({ type: 'module', jest: { ...SETUP, transform: {} } }) },
    "import { startOpenray } from 'openray/testing';\n",
    '--experimental-vm-modules',
  ],
  [
    'CommonJS',
    { 'package.json': JSON.stringify({ jest: SETUP }) },
    "const { startOpenray } = require('openray/testing');\n",
    '',
  ],
])('openray/testing runs under jest, as %s', async (_kind, files, head, nodeOptions) => {
  const tests = { ...files, 'register.test.js': `${head}${JEST_TEST}` };
  const { output, status } = await run(tests, [JEST ?? '', '--rootDir', '.', '--testTimeout=120000'], nodeOptions);
  expect(output).toContain('✓ the trace of an invocation');
  expect(output).toContain('✕ a failing expectation');
  expect(output).toMatch(TREE);
  expect(output).toContain('Register (AWS::Lambda::Function)');
  expect(output).toContain('1 failed, 1 passed, 2 total');
  expect(status).toBe(1);
});

test('openray/testing runs under node:test', async () => {
  const { output, status } = await run({ 'register.test.mjs': NODE_TEST }, ['--test', 'register.test.mjs']);
  expect(output).toMatch(/# pass 1\n|ℹ pass 1\n/);
  expect(output).toMatch(/# fail 1\n|ℹ fail 1\n/);
  expect(output).toMatch(TREE);
  expect(status).toBe(1);
});
