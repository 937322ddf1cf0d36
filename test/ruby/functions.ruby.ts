import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Openray, startOpenray } from 'openray/testing';
import 'openray/testing/vitest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOpenray } from '../../scripts/openray.ts';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/openray-ruby', import.meta.url));
const APPLICATION = join(CACHE, 'application');
const ENVIRONMENT = { HOME: CACHE };

/** A gem as RubyGems installs it: its files, and a description. */
function installGem(folder: string, name: string, module: string): void {
  mkdirSync(join(folder, 'gems', `${name}-1.0.0`, 'lib'), { recursive: true });
  mkdirSync(join(folder, 'specifications'), { recursive: true });
  writeFileSync(
    join(folder, 'gems', `${name}-1.0.0`, 'lib', `${name}.rb`),
    `module ${module}\n  NAME = '${name}'\nend\n`,
  );
  writeFileSync(
    join(folder, 'specifications', `${name}-1.0.0.gemspec`),
    `Gem::Specification.new { |s| s.name = '${name}'; s.version = '1.0.0'; s.summary = 'x'; s.authors = ['x'] }\n`,
  );
}

/** From RubyGems; RUBY_CLIENT_GEM names the file of the gem where that cannot be reached. */
async function installClient(): Promise<void> {
  const { RUBY_CLIENT_GEM: file } = process.env;
  if (file !== undefined) {
    const folder = join(CACHE, '.openray/runtimes/ruby');
    const flags = ['--local', '--ignore-dependencies', '--no-document', '--install-dir', folder];
    execFileSync('gem', ['install', ...flags, file], { stdio: ['ignore', 2, 2] });
    return;
  }
  const { exitCode, stderr } = await runOpenray(['runtime', 'install', 'ruby'], { env: ENVIRONMENT });
  expect(exitCode, stderr).toBe(0);
}

let openray: Openray;

beforeAll(async () => {
  rmSync(CACHE, { recursive: true, force: true });
  cpSync(fileURLToPath(new URL('application', import.meta.url)), APPLICATION, { recursive: true });
  installGem(join(APPLICATION, 'vendor/bundle/ruby/3.3.0'), 'in_bundle', 'InBundle');
  installGem(join(APPLICATION, 'layer/ruby/gems/3.3.0'), 'in_layer', 'InLayer');
  await installClient();
  openray = await startOpenray({ template: join(APPLICATION, 'template.yaml'), env: ENVIRONMENT });
});

afterAll(() => openray?.close());

test('a cold and a warm invocation differ by Initialization, and each has its own trace', async () => {
  const first = await openray.invoke<{ header: string }>('Orders', { id: 'café ✓' });
  expect(first.result).toMatchObject({ invocation: 1, hasTimeLeft: true, id: 'café ✓' });
  expect(first.log).toContain('\ninvocation of Orders\n');
  const second = await openray.invoke<{ header: string }>('Orders');
  expect(second.result).toMatchObject({ invocation: 2 });
  for (const { result, traceId, trace } of [first, second]) {
    expect(result.header).toMatch(new RegExp(`^Root=${traceId};Parent=[0-9a-f]{16};Sampled=1$`));
    expect(await trace()).toBeOk();
  }
  expect(await first.trace()).toHaveSubsegment('Initialization');
  expect(await second.trace()).not.toHaveSubsegment('Initialization');
});

test('a method of a module answers', async () => {
  expect((await openray.invoke('Method', { id: 1 })).result).toEqual({ id: 1 });
});

test('an exception has its stack in the payload and in the trace', async () => {
  const { result, functionError, trace } = await openray.invoke('Orders', { fail: 'as asked' });
  expect(functionError).toBe('Unhandled');
  expect(result).toMatchObject({
    errorType: 'Function<ArgumentError>',
    stackTrace: expect.arrayContaining([expect.stringMatching(/app\.rb:8:in/)]),
  });
  const recorded = await trace();
  expect(recorded).toHaveFault('Function<ArgumentError>: as asked');
  expect(JSON.stringify(recorded)).toContain('app.rb');
});

test('an endless loop is a timeout', async () => {
  const { result, trace } = await openray.invoke('Short', { loop: true });
  expect(result).toMatchObject({ errorType: 'Sandbox.Timedout' });
  expect(await trace()).toHaveFault(/timed out after 1\.00 seconds/);
});

test('gems of the bundle and of a layer are found', async () => {
  expect((await openray.invoke('Gems')).result).toEqual(['in_bundle', 'in_layer']);
});

test('a gem that the runtime brings on AWS is a hint', async () => {
  const { stderr } = await runOpenray(['invoke', 'Missing'], {
    cwd: APPLICATION,
    env: { ...ENVIRONMENT, OPENRAY_PORT: new URL(openray.url).port },
  });
  expect(stderr).toContain('Hint: on AWS, ruby3.3 brings aws-sdk-s3: run openray runtime install ruby aws-sdk-s3');
});
