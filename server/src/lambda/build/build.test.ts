import { readFileSync, realpathSync, utimesSync } from 'node:fs';
import * as Module from 'node:module';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { FunctionSpec } from '../spec/function-spec.ts';
import { parseTemplate } from '../template/template.ts';
import { openLocalLambda, resultOf, writeFiles } from '../testing/local-lambda.ts';
import { builtLayers, prepareCode, samBuildTemplate } from './build.ts';
import { esbuildPlan } from './esbuild-options.ts';

const FUNCTION = 'Type: AWS::Serverless::Function, Properties: {CodeUri: app, Timeout: 20, Runtime: nodejs20.x';

function specOf(dir: string, yaml: string): FunctionSpec {
  const template = parseTemplate(`Resources: {F: ${yaml}}`, join(dir, 'template.yaml'), {
    parameters: {},
    region: 'us-east-1',
    accountId: '000000000000',
  });
  return template.functions[0] as FunctionSpec;
}

async function prepare(files: Record<string, string>, yaml: string) {
  const dir = await writeFiles(files);
  const spec = specOf(dir, yaml);
  return {
    dir,
    code: await prepareCode(spec, {
      cacheDir: join(dir, 'cache'),
      samBuild: undefined,
      hostVariables: { PATH: process.env.PATH },
    }),
  };
}

describe('code', () => {
  test('that needs no build stays in place', async () => {
    const { dir, code } = await prepare({ 'app/index.js': '' }, `{${FUNCTION}, Handler: index.handler}}`);
    expect(code).toEqual({
      codeDir: `${dir}/app`,
      handler: 'index.handler',
      sourceMaps: false,
      sources: [`${dir}/app`],
      warnings: [],
    });
  });

  test.each([
    ['app/index.rb', 'name its folder DIR/app'],
    ['app.jar', 'unpack it, and name that folder'],
  ])('in the file %s is refused with a sentence', async (file, remedy) => {
    const dir = await writeFiles({ [file]: '' });
    const yaml = `{${FUNCTION.replace('app', file)}, Handler: index.handler}}`;
    const context = { cacheDir: join(dir, 'cache'), samBuild: undefined, hostVariables: {} };
    await expect(prepareCode(specOf(dir, yaml), context)).rejects.toThrow(
      `F: its CodeUri is the file ${join(dir, file)}; ${remedy.replace('DIR', dir)}`,
    );
  });

  test('in TypeScript is bundled without metadata, with source maps', async () => {
    const files = {
      'app/src/app.ts': `import { answer } from './answer.ts';\nexport const handler = async (): Promise<number> => answer;`,
      'app/src/answer.ts': 'export const answer: number = 42;',
    };
    const { dir, code } = await prepare(files, `{${FUNCTION}, Handler: src/app.handler}}`);
    expect(code).toMatchObject({ handler: 'app.handler', sourceMaps: true });
    expect(code.codeDir.startsWith(`${dir}/cache/F-`)).toBe(true);
    expect(readFileSync(join(code.codeDir, 'app.js'), 'utf8')).toContain('42');
  });

  test.each(['true', 'inline'])('with source maps (%s) has stack frames in the files of the project', async (map) => {
    const metadata = `Metadata: {BuildMethod: esbuild, BuildProperties: {Sourcemap: ${map}, EntryPoints: [src/app.ts]}}`;
    const { dir, invoke, close } = await openLocalLambda({
      'app/src/app.ts': `import { fail } from './deep/fail.ts';\nexport const handler = async () => fail();`,
      'app/src/deep/fail.ts': `type Never = never;\nexport const fail = (): Never => {\n  throw new Error('no');\n};`,
      'template.yaml': `Resources: {F: {${metadata}, ${FUNCTION}, Handler: src/app.handler}}}`,
    });
    onTestFinished(close);
    const { trace } = resultOf(await invoke('F')) as { trace: string[] };
    expect(trace[1]).toContain(`${realpathSync(dir)}/app/src/deep/fail.ts:3:`);
    expect(trace.join()).not.toContain('.cache');
  });

  test('with esbuild metadata is built by esbuild, and the same code gets the same folder', async () => {
    const files = { 'app/a.ts': `export const handler = async () => ({ long: '${'x'.repeat(20)}' });` };
    const yaml = `{Metadata: {BuildMethod: esbuild, BuildProperties: {Target: es2022, Sourcemap: true, EntryPoints: [a], Shiny: true}}, ${FUNCTION}, Handler: a.handler}}`;
    const dir = await writeFiles(files);
    const spec = specOf(dir, yaml);
    const context = { cacheDir: join(dir, 'cache'), samBuild: undefined, hostVariables: { PATH: process.env.PATH } };
    const [first, second] = [await prepareCode(spec, context), await prepareCode(spec, context)];
    expect(first).toEqual(second);
    expect(first).toMatchObject({ sourceMaps: true, warnings: ["F: openray does not know esbuild's option Shiny."] });
    expect(readFileSync(join(first.codeDir, 'a.js'), 'utf8').split('\n').length).toBeLessThan(4);
  });

  test('that does not compile fails with one sentence and the location', async () => {
    await expect(
      prepare({ 'app/a.ts': 'export const handler = ;' }, `{${FUNCTION}, Handler: a.handler}}`),
    ).rejects.toThrow('F cannot be bundled: a.ts:1: Unexpected ";"');
  });

  test('that does not exist fails with its folder', async () => {
    await expect(prepare({}, `{${FUNCTION}, Handler: a.handler}}`)).rejects.toThrow(
      /^F: its code folder .*\/app does not exist$/,
    );
  });

  test('of another build method stays in place, with a warning', async () => {
    const { code } = await prepare(
      { 'app/a.js': '' },
      `{Metadata: {BuildMethod: rust-cargolambda}, ${FUNCTION}, Handler: a.handler}}`,
    );
    expect(code.warnings).toEqual(['F is built by rust-cargolambda; run sam build first: openray runs its output.']);
  });

  test('with a makefile is built by make', async () => {
    const metadata = 'Metadata: {BuildMethod: makefile}';
    const files = {
      'app/Makefile': 'build-F:\n\tcp source.txt $(ARTIFACTS_DIR)/a.js\n',
      'app/source.txt': 'exports.handler = async () => "made";',
    };
    const { code } = await prepare(files, `{${metadata}, ${FUNCTION}, Handler: a.handler}}`);
    expect(readFileSync(join(code.codeDir, 'a.js'), 'utf8')).toContain('made');
    await expect(
      prepare({ 'app/Makefile': 'build-G:\n' }, `{${metadata}, ${FUNCTION}, Handler: a.handler}}`),
    ).rejects.toThrow("F cannot be built by make: make: *** No rule to make target 'build-F'.  Stop.");
  });

  test('built by sam is used when it is newer than every source file', async () => {
    const dir = await writeFiles({
      'template.yaml': '',
      'app/a.js': 'source',
      '.aws-sam/build/template.yaml': '',
      '.aws-sam/build/F/a.js': 'built',
    });
    const spec = specOf(dir, `{${FUNCTION}, Handler: a.handler}}`);
    const samBuild = { codeDir: `${dir}/.aws-sam/build/F`, handler: 'a.handler' };
    const at = (path: string, seconds: number) => utimesSync(join(dir, path), seconds, seconds);
    at('app/a.js', 1000);
    at('.aws-sam/build/F', 2000);
    expect((await prepareCode(spec, { cacheDir: dir, samBuild, hostVariables: {} })).codeDir).toBe(samBuild.codeDir);
    at('app/a.js', 3000);
    expect((await prepareCode(spec, { cacheDir: dir, samBuild, hostVariables: {} })).codeDir).toBe(`${dir}/app`);

    at('template.yaml', 1000);
    const built = `${dir}/.aws-sam/build/F`;
    expect(builtLayers([`${dir}/app`], [built])).toEqual([`${dir}/app`]);
    at('app/a.js', 1000);
    expect(builtLayers([`${dir}/app`], [built])).toEqual([built]);
    expect(builtLayers([`${dir}/app`], [`${dir}/none`])).toEqual([`${dir}/app`]);
    expect(builtLayers([`${dir}/app`], [])).toEqual([`${dir}/app`]);
    expect(builtLayers([`${dir}/app`])).toEqual([`${dir}/app`]);

    expect(samBuildTemplate(`${dir}/template.yaml`)).toBe(`${dir}/.aws-sam/build/template.yaml`);
    expect(samBuildTemplate(`${dir}/.aws-sam/build/template.yaml`)).toBeUndefined();
    at('.aws-sam/build/template.yaml', 500);
    expect(samBuildTemplate(`${dir}/template.yaml`)).toBeUndefined();
  });
});

test('bundles and inline code run', async () => {
  const local = await openLocalLambda({
    'template.yaml': `
Resources:
  Esm:
    Metadata: {BuildMethod: esbuild, BuildProperties: {Format: esm, Target: es2022, OutExtension: [".js=.mjs"], EntryPoints: [main.ts], Define: ["VERSION='7'"]}}
    ${FUNCTION.replace(', ', '\n    ')}, Handler: main.handler}
  Inline: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs20.x, Handler: index.handler, InlineCode: 'exports.handler = async () => "inline"'}}`,
    'app/main.ts': `declare const VERSION: string;\nconst value = await Promise.resolve(VERSION);\nexport const handler = async () => value;`,
  });
  try {
    expect(resultOf(await local.invoke('Inline'))).toBe('inline');
    expect(resultOf(await local.invoke('Esm'))).toBe('7');
  } finally {
    await local.close();
  }
});

test('a package.json above the code does not change how it is loaded', async () => {
  const properties = (id: string, handler: string, codeUri: string) => `
  ${id}:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs20.x, Timeout: 20, Handler: ${handler}, CodeUri: ${codeUri}}`;
  const local = await openLocalLambda({
    // As in a project of ES modules, whose data folder is inside.
    'package.json': '{"type":"module"}',
    'template.yaml': `
Resources:
  Inline: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs20.x, Handler: index.handler, InlineCode: 'exports.handler = async () => module.id.length > 0'}}${[
    properties('Bundled', 'main.handler', 'ts'),
    properties('Plain', 'index.handler', 'plain'),
    properties('Dynamic', 'index.handler', 'dynamic'),
    properties('Own', 'index.handler', 'own'),
    properties('Nested', 'esm/index.handler', 'nested'),
  ].join('')}`,
    'ts/main.ts': 'export const handler = async (): Promise<string> => typeof module;',
    'plain/index.js': `const { word } = require('./lib/word');\nexports.handler = async () => word;`,
    'plain/lib/word.js': `module.exports.word = 'plain';`,
    'dynamic/index.js': `exports.handler = async () => (await import('./word.mjs')).word;`,
    // Node 20 has no hooks for the second import.
    'dynamic/word.mjs': `import word from '${'registerHooks' in Module ? './word.js' : './word.cjs'}';\nexport { word };`,
    'dynamic/word.js': `module.exports = 'dynamic';`,
    'dynamic/word.cjs': `module.exports = 'dynamic';`,
    'own/package.json': '{"type":"module"}',
    'own/index.js': `export const handler = async () => 'own';`,
    'nested/index.js': 'module.exports = 1;',
    'nested/esm/package.json': '{"type":"module"}',
    'nested/esm/index.js': `import one from '../index.cjs';\nexport const handler = async () => 'nested ' + one;`,
    'nested/index.cjs': `module.exports = require('./index.js');`,
  });
  onTestFinished(local.close);
  const results = ['Inline', 'Bundled', 'Plain', 'Dynamic', 'Own', 'Nested'].map(async (id) => [
    id,
    resultOf(await local.invoke(id)),
  ]);
  expect(Object.fromEntries(await Promise.all(results))).toEqual({
    Inline: true,
    Bundled: 'object',
    Plain: 'plain',
    Dynamic: 'dynamic',
    Own: 'own',
    Nested: 'nested 1',
  });
});

test('esbuild properties become options; defaults are SAM’s', () => {
  expect(esbuildPlan({})).toEqual({
    options: { target: 'es2020', format: 'cjs', minify: true },
    sourceMaps: false,
    unknown: [],
  });
  const plan = esbuildPlan({
    Minify: 'false',
    Target: 'es2022,node20',
    External: ['@aws-sdk/*'],
    Loader: ['.html=text'],
    Banner: ['js=import { a } from "b=c";'],
    Sourcemap: 'inline',
    Platform: 'browser',
    Outdir: '/elsewhere',
  });
  expect(plan.options).toEqual({
    minify: false,
    format: 'cjs',
    target: ['es2022', 'node20'],
    external: ['@aws-sdk/*'],
    loader: { '.html': 'text' },
    banner: { js: 'import { a } from "b=c";' },
    sourcemap: 'inline',
  });
});
