import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FunctionSpec } from '../spec/function-spec.ts';
import { writeFiles } from '../testing/local-lambda.ts';
import { missingPackageHint } from './missing-package.ts';

const context = { packagesDir: undefined, hasVirtualEnv: false };
const spec = (runtime: string, codeDir: string) =>
  ({ logicalId: 'Orders', runtime, codeDir, handler: 'app.handler' }) as FunctionSpec;

describe('Node', () => {
  test.each([
    ["Cannot find package '@aws-sdk/client-s3' imported from /a/index.mjs", 'openray runtime install node,'],
    ["Error: Cannot find module '@smithy/types/dist'\\nRequire stack", '@smithy/types: run'],
    ["Cannot find module 'aws-sdk'", 'version 2 of the SDK, is not part of nodejs18.x and later'],
    ["Cannot find module 'aws-sdk/clients/s3'", 'version 2 of the SDK'],
    ["Cannot find package 'zod' imported from /a/index.mjs", 'npm install zod'],
    ['Orders cannot be bundled: app.ts:1: Could not resolve "zod"', 'npm install zod'],
    ["Cannot find module 'listed/sub'", 'package.json lists listed, but it is not installed: run npm install in'],
  ])('%s', async (output, part) => {
    const dir = await writeFiles({ 'package.json': '{"dependencies":{"listed":"1"}}', 'src/app.js': '' });
    expect(missingPackageHint(spec('nodejs22.x', join(dir, 'src')), output, context)).toContain(part);
  });

  test.each(["Cannot find module './greet'", "Cannot find module 'app'", "Cannot find module '/var/task/a'", 'ok'])(
    '%s is no missing package',
    (output) => {
      expect(missingPackageHint(spec('nodejs22.x', '/none'), output, context)).toBeUndefined();
    },
  );

  test('names the package when the packages of the runtime are installed without it', async () => {
    const packagesDir = await writeFiles({ 'node/package.json': '{}' });
    const hint = missingPackageHint(spec('nodejs22.x', '/none'), "Cannot find package '@aws-sdk/client-foo'", {
      ...context,
      packagesDir,
    });
    expect(hint).toContain('openray runtime install node @aws-sdk/client-foo,');
  });
});

describe('Python', () => {
  test.each([
    ["No module named 'boto3'", false, 'openray runtime install python,'],
    ["No module named 'botocore.exceptions'", false, 'brings botocore'],
    [
      "No module named 'requests'",
      false,
      'requirements.txt lists requests, but it is not installed: install it into a',
    ],
    ["No module named 'aws_lambda_powertools'", true, 'install it into the active virtual environment (pip install -r'],
    ["No module named 'pandas'", true, 'which no requirements.txt lists'],
  ])('%s', async (output, hasVirtualEnv, part) => {
    const dir = await writeFiles({ 'requirements.txt': 'requests==2\naws-lambda-powertools[all]\n# pandas\n' });
    const hint = missingPackageHint(spec('python3.12', dir), output, { ...context, hasVirtualEnv });
    expect(hint).toContain(part);
  });

  test('the module of the handler is no package', () => {
    expect(missingPackageHint(spec('python3.12', '/none'), "No module named 'app'", context)).toBeUndefined();
  });
});

describe('Java', () => {
  test.each([
    ['Class not found: example.App: java.lang.ClassNotFoundException', 'no class example.App '],
    [
      'com/google/gson/Gson: java.lang.NoClassDefFoundError\njava.lang.NoClassDefFoundError: com/google/gson/Gson',
      'com.google.gson.Gson ',
    ],
    ['Caused by: java.lang.ClassNotFoundException: org.h2.Driver', 'no class org.h2.Driver '],
  ])('%s', (output, part) => {
    const hint = missingPackageHint(spec('java21', '/code'), output, context);
    expect(hint).toContain(`Orders: /code has `);
    expect(hint).toContain(part);
  });

  test('another failure has no hint', () => {
    expect(missingPackageHint(spec('java21', '/code'), 'java.lang.IllegalStateException', context)).toBeUndefined();
  });
});
