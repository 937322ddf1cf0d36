import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FunctionSpec } from '../spec/function-spec.ts';
import { writeFiles } from '../testing/local-lambda.ts';
import { missingPackageHint } from './missing-package.ts';

const context = { packagesDir: undefined, hasVirtualEnv: false };
const spec = (runtime: string, codeDir: string) =>
  ({
    logicalId: 'Orders',
    runtime,
    codeDir,
    handler: 'app.handler',
    layerDirs: [] as readonly string[],
  }) as FunctionSpec;

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

  test.each(["Cannot find module './greet'", "Cannot find module '/var/task/a'", 'ok'])(
    '%s is no missing package',
    (output) => {
      expect(missingPackageHint(spec('nodejs22.x', '/none'), output, context)).toBeUndefined();
    },
  );

  test('nodejs16.x and earlier have version 2 of the SDK', () => {
    const hint = missingPackageHint(spec('nodejs16.x', '/none'), "Cannot find module 'aws-sdk'", context);
    expect(hint).toContain('on AWS, nodejs16.x brings aws-sdk: run openray runtime install node aws-sdk,');
  });

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

  test.each([
    ['common', 'start Handler from there', { 'common/__init__.py': '', 'fn/app.py': '' }],
    ['common', 'start Handler from there', { 'common/a.py': '', 'fn/app.py': '' }],
    ['common', 'start Handler from there', { 'common.py': '', 'fn/app.py': '' }],
    ['fn', 'start Handler from there', { 'fn/app.py': '' }],
    ['common', 'no requirements.txt lists', { 'common/readme.md': '', 'fn/app.py': '' }],
  ])('%s of the project is no package to install: %s', async (module, part, files) => {
    const dir = await writeFiles({ ...files, 'pyproject.toml': 'packages = ["fn"]' } as Record<string, string>);
    const hint = missingPackageHint(spec('python3.12', join(dir, 'fn')), `No module named '${module}'`, context);
    expect(hint).toContain(part);
  });
});

describe('the file of the handler', () => {
  const hintOf = async (runtime: string, handler: string, output: string, files: Record<string, string>) => {
    const dir = await writeFiles(files);
    return { dir, hint: missingPackageHint({ ...spec(runtime, dir), handler }, output, context) };
  };

  test.each([
    ['nodejs22.x', 'app.handler', "Cannot find module 'app'", 'app.js', 'build the project'],
    ['nodejs22.x', 'dist/app.handler', "Cannot find module 'app'", 'dist/app.js', 'build the project'],
    ['nodejs22.x', 'login.handler', "Cannot find module 'login'", 'login.js', 'write handlers/login.handler,'],
    ['python3.12', 'app.handler', "No module named 'app'", 'app.py', 'build the project'],
    ['python3.12', 'a.b.handler', "No module named 'a'", 'a/b.py', 'build the project'],
    ['python3.12', 'jobs.main', "No module named 'jobs'", 'jobs.py', 'write tasks/jobs.main,'],
  ])('%s %s is missing', async (runtime, handler, output, file, remedy) => {
    const { dir, hint } = await hintOf(runtime, handler, output, { 'handlers/login.js': '', 'tasks/jobs.py': '' });
    expect(hint).toContain(`the Handler ${handler} of Orders names ${file}, which its code folder ${dir} does not`);
    expect(hint).toContain(remedy);
  });

  test.each([
    ['nodejs22.x', 'zod.handler', "Cannot find package 'zod'", { 'zod.js': '' }, 'npm install zod'],
    ['nodejs22.x', '/opt/app.handler', "Cannot find module 'app'", {}, 'npm install app'],
    ['python3.12', 'app.handler', "No module named 'app'", { 'app.py': '' }, undefined],
  ])('%s %s is there: %s', async (runtime, handler, output, files, remedy) => {
    const { hint } = await hintOf(runtime, handler, output, files as Record<string, string>);
    if (remedy === undefined) expect(hint).toBeUndefined();
    else expect(hint).toContain(remedy);
  });

  test.each([
    ['/opt/wrap.sh', 'no layer of Orders has /opt/wrap.sh'],
    ['/opt/there.sh', undefined],
    ['/bin/wrap.sh', undefined],
  ])('the wrapper %s that no layer has is named', async (wrapper, part) => {
    const layer = await writeFiles({ 'there.sh': '' });
    const withWrapper = {
      ...spec('nodejs22.x', '/none'),
      layerDirs: [layer],
      environmentVariables: { AWS_LAMBDA_EXEC_WRAPPER: wrapper },
    };
    const output = 'RequestId: 1 Error: Runtime exited with error: exit status 127';
    const hint = missingPackageHint(withWrapper, output, context);
    if (part === undefined) expect(hint).toBeUndefined();
    else expect(hint).toContain(part);
  });

  test('a package that a layer lists is named with the list of the layer', async () => {
    const layer = await writeFiles({ 'requirements.txt': 'requests\n' });
    const withLayer = { ...spec('python3.12', '/none'), layerDirs: [layer] };
    expect(missingPackageHint(withLayer, "No module named 'requests'", context)).toContain(
      `${layer}/requirements.txt lists requests`,
    );
  });

  test.each([
    [undefined, 'and no layer has: '],
    [['AWSLambdaPowertoolsX'], 'and no folder of a layer has (the layer AWSLambdaPowertoolsX has no folder here): '],
    [['a', 'b'], 'and no folder of a layer has (the layers a, b have no folder here): '],
  ])('layers without a folder are named: %j', (missingLayers, part) => {
    const outputs = [
      ['python3.12', "No module named 'aws_lambda_powertools'"],
      ['nodejs22.x', "Cannot find package '@aws-lambda-powertools/tracer'"],
    ] as const;
    for (const [runtime, output] of outputs) {
      expect(missingPackageHint({ ...spec(runtime, '/none'), missingLayers }, output, context)).toContain(part);
    }
  });

  test('a bootstrap that was not built is named', async () => {
    const output = "Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
    const { hint } = await hintOf('provided.al2023', 'bootstrap', output, {});
    expect(hint).toContain('bootstrap does not exist. Run sam build');
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

describe('Ruby', () => {
  test.each([
    ['cannot load such file -- aws-sdk-s3 (LoadError)', 'openray runtime install ruby aws-sdk-s3,'],
    ['cannot load such file -- nokogiri', 'requires nokogiri, which no gem of it has: list it in /code/Gemfile'],
  ])('%s', (output, part) => {
    expect(missingPackageHint(spec('ruby3.3', '/code'), output, context)).toContain(part);
  });

  test('the file of the handler is no gem', () => {
    const output = 'cannot load such file -- app';
    expect(missingPackageHint(spec('ruby3.3', '/code'), output, context)).toBeUndefined();
  });
});
