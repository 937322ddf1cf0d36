import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Openray, startOpenray } from 'openray/testing';
import 'openray/testing/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runOpenray } from '../../scripts/openray.ts';
import { findJdk, jdkTool } from '../../server/src/lambda/runtime/jdk.ts';
import { removeFolder, temporaryFolder } from '../support/server.ts';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/openray-java', import.meta.url));
const APPLICATION = join(CACHE, 'application');
const TARGET = join(APPLICATION, 'target');
const ENVIRONMENT = { HOME: CACHE };
const JAVA = findJdk(17, process.env).jdk?.version;
const hasJava25 = findJdk(25, process.env).jdk !== undefined;

/** Builds the application as its user would: with Maven. A jar of the classes, a zip and a layer are made from that. */
function build(): void {
  rmSync(APPLICATION, { recursive: true, force: true });
  cpSync(fileURLToPath(new URL('application', import.meta.url)), APPLICATION, { recursive: true });
  const run = (program: string, args: readonly string[]) =>
    execFileSync(program, args, { cwd: APPLICATION, stdio: ['ignore', 2, 2] });
  run('mvn', ['--batch-mode', '--quiet', 'package']);
  mkdirSync(join(TARGET, 'layer/java'), { recursive: true });
  cpSync(join(TARGET, 'dependency'), join(TARGET, 'layer/java/lib'), { recursive: true });
  symlinkSync('dependency', join(TARGET, 'lib'));
  run(jdkTool('jar', process.env), [
    '--create',
    '--file',
    'target/orders.zip',
    '-C',
    'target/classes',
    'example',
    '-C',
    'target',
    'lib',
  ]);
}

let openray: Openray;

beforeAll(async () => {
  mkdirSync(CACHE, { recursive: true });
  build();
  const { exitCode, stderr } = await runOpenray(['runtime', 'install', 'java'], { env: ENVIRONMENT });
  expect(exitCode, stderr).toBe(0);
  openray = await startOpenray({ template: join(APPLICATION, 'template.yaml'), env: ENVIRONMENT });
});

afterAll(() => openray?.close());

type Result = { readonly invocation: number; readonly header: string; readonly [key: string]: unknown };

test('a cold and a warm invocation differ by Initialization, and each has its own trace', async () => {
  const first = await openray.invoke<Result>('Project', { id: 'café ✓' });
  expect(first.result).toMatchObject({ invocation: 1, name: 'Project', hasTimeLeft: true, java: JAVA, id: 'café ✓' });
  expect(first.log).toMatch(/\tInit Duration: /);
  const second = await openray.invoke<Result>('Project');
  expect(second.result).toMatchObject({ invocation: 2 });
  expect(second.log).not.toContain('Init Duration');
  for (const { result, traceId, trace } of [first, second]) {
    expect(result.header).toMatch(new RegExp(`^Root=${traceId};Parent=[0-9a-f]{16};Sampled=1$`));
    expect(await trace()).toBeOk();
  }
  const namesOf = async ({ trace }: typeof first) => (await trace()).entities.map(({ name }) => name).sort();
  expect(await namesOf(first)).toEqual(['Initialization', 'Invocation', 'Overhead', 'Project', 'Project']);
  expect(await namesOf(second)).toEqual(['Invocation', 'Overhead', 'Project', 'Project']);
});

test('each message of the logger is a line', async () => {
  const { log } = await openray.invoke('Project');
  expect(log).toContain('\nfirst message\nsecond message\n');
});

test.each(['ClassAlone', 'Stream', 'Jar'])('%s answers', async (name) => {
  const { result, functionError } = await openray.invoke(name, { id: 'a' });
  expect(functionError).toBeUndefined();
  expect(result).toMatchObject({ id: 'a' });
});

test.each(['Traced', 'Zip', 'Layered'])(
  '%s finds the X-Ray SDK, whose subsegment is below Invocation',
  async (name) => {
    const { result, traceId } = await openray.invoke(name, { id: `of-${name}` });
    expect(result).toEqual({ traceId });
    const { id, entities } = await openray.waitForTrace(`annotation.order = "of-${name}"`);
    expect(id).toBe(traceId);
    const reserve = entities.find((entity) => entity.name === 'reserve');
    expect(entities.find((entity) => entity.name === 'Invocation')?.id).toBe(reserve?.parentId);
  },
);

test('without its dependencies, a function ends with a hint', async () => {
  const { exitCode, stderr } = await runOpenray(['invoke', 'Unresolved'], {
    cwd: APPLICATION,
    env: { ...ENVIRONMENT, OPENRAY_PORT: new URL(openray.url).port },
  });
  expect(exitCode).toBe(0);
  expect(stderr).toContain('has no class com.amazonaws.xray.AWSXRay (');
});

describe('failures', () => {
  test('an exception has its stack in the payload and in the trace', async () => {
    const { result, functionError, log, trace } = await openray.invoke('Project', { fail: 'as asked' });
    expect(functionError).toBe('Unhandled');
    expect(result).toEqual({
      errorMessage: 'as asked',
      errorType: 'java.lang.IllegalStateException',
      stackTrace: expect.arrayContaining([
        expect.stringMatching(/^example\.Orders\.handleRequest\(Orders\.java:\d+\)$/),
      ]),
    });
    expect(log).toContain('as asked: java.lang.IllegalStateException\n');
    const recorded = await trace();
    expect(recorded).toHaveFault('java.lang.IllegalStateException: as asked');
    expect(JSON.stringify(recorded)).toContain('Orders.java');
  });

  test('an endless loop is a timeout', async () => {
    const { result, trace } = await openray.invoke('Short', { loop: true });
    expect(result).toMatchObject({ errorType: 'Sandbox.Timedout' });
    expect(await trace()).toHaveFault(/timed out after 1\.00 seconds/);
  });

  test('an exit of the process has its status', async () => {
    const { result } = await openray.invoke('Project', { exit: true });
    expect(result).toMatchObject({ errorMessage: expect.stringContaining('Runtime exited with error: exit status 3') });
  });

  test('a response that is too large is refused, and the environment stays', async () => {
    const { result } = await openray.invoke('ClassAlone', { big: true });
    expect(result).toMatchObject({ errorType: 'Function.ResponseSizeTooLarge' });
    expect((await openray.invoke<Result>('ClassAlone')).log).not.toContain('Init Duration');
  });

  test('a Java that is not there is a sentence', async () => {
    const { result } = await openray.invoke('TooNew');
    expect(result).toMatchObject({ errorMessage: expect.stringMatching(/TooNew needs java99; .*install a JDK 99 or/) });
  });
});

test('eight environments that start at once answer', async () => {
  const events = Array.from({ length: 8 }, (_, id) => ({ id }));
  const results = await Promise.all(events.map(async (event) => (await openray.invoke('Stream', event)).result));
  expect(results).toEqual(events);
});

test('the heap is 85 % of the memory, and JAVA_TOOL_OPTIONS decides otherwise', async () => {
  const heapOf = async (name: string) => (await openray.invoke<{ heapMb: number }>(name)).result.heapMb;
  const heapMb = await heapOf('Project');
  // Java counts without one of the two survivor spaces.
  expect(heapMb).toBeGreaterThan(200);
  expect(heapMb).toBeLessThanOrEqual(0.85 * 256);
  expect(await heapOf('G1')).toBe(100);
});

test.runIf(hasJava25)('Java 25 answers without a warning of Java', async () => {
  const { result, log } = await openray.invoke('Newer');
  expect(result).toMatchObject({ java: 25 });
  expect(log).not.toContain('WARNING');
});

test('without Maven, the client comes straight from Maven Central', async () => {
  const home = await temporaryFolder();
  const bin = join(home, 'bin');
  mkdirSync(bin);
  const javac = execFileSync('which', [jdkTool('javac', process.env)], { encoding: 'utf8' }).trim();
  symlinkSync(javac, join(bin, 'javac'));
  const { exitCode, stdout, stderr } = await runOpenray(['runtime', 'install', 'java'], {
    env: { HOME: home, PATH: bin },
  });
  expect(exitCode, stderr).toBe(0);
  expect(existsSync(join(stdout.trim().replace('installed in ', ''), 'classes'))).toBe(true);
  await removeFolder(home);
});
