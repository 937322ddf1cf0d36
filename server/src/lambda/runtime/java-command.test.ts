import { existsSync, mkdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { FunctionSpec } from '../spec/function-spec.ts';
import { RUNTIMES_DIR, writeFiles } from '../testing/local-lambda.ts';
import { javaClientDir, javaClientPath, javaClientSources } from './java-client.ts';
import { runtimeCommand, runtimeVersion } from './runtime-command.ts';

const spec = (runtime: string, memoryMb = 512) =>
  ({ logicalId: 'F', runtime, handler: 'example.App::run', memoryMb, layerDirs: [] }) as unknown as FunctionSpec;

async function machine({ version = '21.0.3', hasClient = true } = {}) {
  const dir = await writeFiles({ 'jdk/release': `JAVA_VERSION="${version}"\n`, 'jdk/bin/java': '' });
  const packagesDir = `${dir}/packages`;
  const client = javaClientDir(RUNTIMES_DIR, packagesDir);
  if (hasClient) mkdirSync(client, { recursive: true });
  const interpreters = {
    nodePath: process.execPath,
    pythonPath: undefined,
    runtimesDir: RUNTIMES_DIR,
    packagesDir,
    hostVariables: { JAVA_HOME: `${dir}/jdk` },
  };
  return { dir, client, interpreters };
}

const CODE = { codeDir: '/code', classPath: ['/code', '/code/lib/a.jar'] };
const NO_VARIABLES = { wrapper: undefined, javaToolOptions: undefined };

describe('Java', () => {
  test('starts the client of AWS with Lambda’s options and the class path of the function', async () => {
    const { dir, client, interpreters } = await machine();
    expect(runtimeCommand(spec('java21'), CODE, interpreters, NO_VARIABLES)).toEqual({
      ok: true,
      command: [
        `${dir}/jdk/bin/java`,
        '-XX:MaxHeapSize=445644k',
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        '-Djava.net.preferIPv4Stack=true',
        '-Dopenray.class.path=/code:/code/lib/a.jar',
        '-cp',
        javaClientPath(client).join(':'),
        'com.amazonaws.services.lambda.runtime.api.client.AWSLambda',
        'example.App::run',
      ],
      runtimeDir: client,
      warning: undefined,
    });
  });

  test('another version is a warning; one that is too old is a sentence', async () => {
    const { dir, interpreters } = await machine();
    const start = (runtime: string, hostVariables = interpreters.hostVariables) =>
      runtimeCommand(spec(runtime), CODE, { ...interpreters, hostVariables }, NO_VARIABLES);
    expect(start('java17')).toMatchObject({ warning: 'F asks for java17 and runs on Java 21.' });
    expect(start('java8.al2')).toMatchObject({ warning: 'F asks for java8.al2 and runs on Java 21.' });
    const reason = `F needs java99; ${dir}/jdk is Java 21: install a JDK 99 or later, and name its folder in JAVA_HOME.`;
    expect(start('java99')).toEqual({ ok: false, reason });
    expect(start('java99', { JAVA_HOME: '' })).toEqual({
      ok: false,
      reason: 'F needs java99: install a JDK 99 or later, and name its folder in JAVA_HOME.',
    });
  });

  test.each([
    [undefined, ['MaxHeapSize', 'UseSerialGC', 'TieredStopAtLevel', 'preferIPv4Stack']],
    ['-Xmx100m', ['UseSerialGC', 'TieredStopAtLevel', 'preferIPv4Stack']],
    ['-XX:MaxRAMPercentage=50', ['UseSerialGC', 'TieredStopAtLevel', 'preferIPv4Stack']],
    ['-XX:+UseG1GC', ['MaxHeapSize', 'TieredStopAtLevel', 'preferIPv4Stack']],
    ['-XX:-TieredCompilation', ['MaxHeapSize', 'UseSerialGC', 'preferIPv4Stack']],
    ['-Djava.net.preferIPv6Addresses=true -Dx=1', ['MaxHeapSize', 'UseSerialGC', 'TieredStopAtLevel']],
  ])('with JAVA_TOOL_OPTIONS %s openray sets %s', async (javaToolOptions, expected) => {
    const { interpreters } = await machine();
    const found = runtimeCommand(spec('java21'), CODE, interpreters, { ...NO_VARIABLES, javaToolOptions });
    const options = found.ok ? found.command.slice(1, found.command.indexOf('-cp') - 1) : [];
    expect(options).toEqual(expected.map((part) => expect.stringContaining(part)));
  });

  test('Java 24 and later do not warn about the client', async () => {
    const { interpreters } = await machine({ version: '25' });
    const found = runtimeCommand(spec('java25'), CODE, interpreters, NO_VARIABLES);
    expect(found.ok && found.command).toContain('--sun-misc-unsafe-memory-access=allow');
  });

  test('waits for a debugger, behind the customer’s wrapper', async () => {
    const { interpreters } = await machine();
    const debug = { port: 5005, args: ['-ea'], functionId: undefined };
    const found = runtimeCommand(
      spec('java21'),
      CODE,
      { ...interpreters, debug },
      { ...NO_VARIABLES, wrapper: '/wrap' },
    );
    const command = found.ok ? found.command : [];
    expect(command[0]).toBe('/wrap');
    expect(command).toContain('-agentlib:jdwp=transport=dt_socket,server=y,suspend=y,address=127.0.0.1:5005');
    expect(command).toContain('-ea');
  });

  test('without the client, names the command that installs it', async () => {
    const { interpreters } = await machine({ hasClient: false });
    expect(runtimeCommand(spec('java21'), CODE, interpreters, NO_VARIABLES)).toEqual({
      ok: false,
      reason: 'F needs java21: run openray runtime install java, once on this machine.',
    });
  });

  test.runIf(process.platform === 'linux')('takes the client of the function’s own build', async () => {
    const { interpreters } = await machine({ hasClient: false });
    const classPath = ['/code', '/code/lib/aws-lambda-java-runtime-interface-client-2.6.0.jar'];
    const found = runtimeCommand(spec('java21'), { ...CODE, classPath }, interpreters, NO_VARIABLES);
    expect(found).toMatchObject({ ok: true, command: expect.arrayContaining(['-cp', classPath.join(':')]) });
  });
});

test('openray has classes for the client, and another folder for each state of them', async () => {
  expect(javaClientSources(RUNTIMES_DIR).every(existsSync)).toBe(true);
  expect(javaClientSources(RUNTIMES_DIR)).not.toEqual([]);
  const runtimesDir = await writeFiles({ 'java/A.java': 'class A {}' });
  expect(javaClientDir(runtimesDir, '/packages')).not.toBe(javaClientDir(RUNTIMES_DIR, '/packages'));
});

test('INIT_START names Java and its version', () => {
  expect(runtimeVersion('java21', [], 'us-east-1').version).toBe('java:21');
});
