import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Openray, startOpenray } from 'openray/testing';
import 'openray/testing/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { removeFolder, temporaryFolder } from './support/server.ts';

const HANDLER = `
import logging, os, sys
def handler(event, context):
    print("printed")
    logging.getLogger().warning("logged")
    if event.get("ends"):
        sys.exit(3)
    if event.get("fails"):
        raise KeyError("as asked")
    left = context.get_remaining_time_in_millis()
    return {"header": os.environ["_X_AMZN_TRACE_ID"], "left": left, "arn": context.invoked_function_arn}
`;

/** The start command of AWS's own images. The client polls differently by the Python version in AWS_EXECUTION_ENV. */
const bootstrap = (program: string, folder: string, version: string) => `#!/bin/sh
export PYTHONPATH='${folder}' AWS_EXECUTION_ENV=AWS_Lambda_python${version}
exec '${program}' -m awslambdaric "$_HANDLER"
`;

const properties = 'Handler: index.handler, Runtime: provided.al2023, Timeout: 60, Tracing: Active';
const TEMPLATE = `
Resources:
  Polls: {Type: AWS::Serverless::Function, Properties: {CodeUri: polls, ${properties}}}
  PollsInThread: {Type: AWS::Serverless::Function, Properties: {CodeUri: polls-in-thread, ${properties}}}
  Absent: {Type: AWS::Serverless::Function, Properties: {CodeUri: polls, ${properties.replace('index', 'nowhere')}}}
`;

/** A folder of its own for the wheel, which has a compiled part. */
const CLIENT = join(import.meta.dirname, '../node_modules/.cache/awslambdaric');

function prepareClient(): boolean {
  if (existsSync(join(CLIENT, 'awslambdaric'))) return true;
  const flags = ['--quiet', '--only-binary', ':all:', '--target', CLIENT, '--disable-pip-version-check'];
  const run = spawnSync('python3', ['-m', 'pip', 'install', ...flags, 'awslambdaric==4.2.2'], {
    stdio: 'ignore',
    timeout: 120_000,
  });
  return run.status === 0;
}

const isInstalled = prepareClient();
if (!isInstalled) process.stderr.write('The official Python client is not tested: pip cannot install awslambdaric\n');

describe.skipIf(!isInstalled)("Lambda's own runtime client for Python, unmodified", () => {
  let folder: string;
  let openray: Openray;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const program = spawnSync('python3', ['-c', 'import sys; print(sys.executable)']).stdout.toString().trim();
    await writeFile(join(folder, 'template.yaml'), TEMPLATE);
    for (const [name, version] of [
      ['polls', '3.11'],
      ['polls-in-thread', '3.13'],
    ] as const) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'index.py'), HANDLER);
      await writeFile(join(folder, name, 'bootstrap'), bootstrap(program, CLIENT, version));
      await chmod(join(folder, name, 'bootstrap'), 0o755);
    }
    openray = await startOpenray({ template: join(folder, 'template.yaml') });
  });
  afterAll(async () => {
    await openray.close();
    await removeFolder(folder);
  });

  test.each(['Polls', 'PollsInThread'])(
    '%s: runs one invocation after the other, each with its own trace',
    async (name) => {
      for (let i = 0; i < 3; i++) {
        const { result, log, traceId, trace } = await openray.invoke<Record<string, unknown>>(name);
        expect(result).toMatchObject({ arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}` });
        expect(result.header).toMatch(new RegExp(`^Root=${traceId};Parent=[0-9a-f]{16};Sampled=1$`));
        // Milliseconds up to the deadline, of 60 seconds.
        expect(result.left).toBeGreaterThan(60);
        expect(result.left).toBeLessThanOrEqual(60_000);
        expect(log).toMatch(/\nprinted\n\[WARNING\]\t\S+Z\t\S+\tlogged\n/);
        expect(await trace()).toBeOk();
      }
    },
  );

  test('reports an exception with its cause', async () => {
    const { result, functionError, trace } = await openray.invoke('Polls', { fails: true });
    expect(functionError).toBe('Unhandled');
    expect(result).toMatchObject({
      errorType: 'KeyError',
      errorMessage: "'as asked'",
      stackTrace: [expect.any(String)],
    });
    expect(await trace()).toHaveFault("KeyError: 'as asked'");
  });

  test('reports sys.exit as an error, and starts again', async () => {
    const { result } = await openray.invoke('PollsInThread', { ends: true });
    expect(result).toMatchObject({ errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('status 3') });
    expect((await openray.invoke('PollsInThread')).functionError).toBeUndefined();
  });

  test('reports a failed import during the start', async () => {
    const { result, trace } = await openray.invoke('Absent');
    expect(result).toMatchObject({ errorType: 'Runtime.ImportModuleError' });
    expect(await trace()).toHaveFault('Runtime.ImportModuleError');
  });
});
