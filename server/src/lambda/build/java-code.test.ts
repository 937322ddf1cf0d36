import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FunctionSpec } from '../spec/function-spec.ts';
import { writeFiles } from '../testing/local-lambda.ts';
import { type BuildContext, prepareCode } from './build.ts';

const LAYER = { 'layer/java/lib/shared.jar': '', 'layer/java/lib/readme.txt': '' };

async function prepare(
  files: Readonly<Record<string, string>>,
  path: string,
  more: (dir: string) => Partial<BuildContext> = () => ({}),
) {
  const dir = await writeFiles({ ...LAYER, ...files });
  const spec = {
    logicalId: 'F',
    runtime: 'java21',
    handler: 'a.B::c',
    codeDir: join(dir, path),
    layerDirs: [`${dir}/layer`],
    build: { kind: 'none' },
    warnings: [],
  } as unknown as FunctionSpec;
  const context = { cacheDir: `${dir}/cache`, samBuild: undefined, hostVariables: {}, ...more(dir) };
  const code = await prepareCode(spec, context);
  const relative = (file: string) => file.slice(dir.length + 1);
  return { ...code, codeDir: relative(code.codeDir), classPath: code.classPath?.map(relative) };
}

const files = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, '']));

describe('the class path of', () => {
  test.each([
    [
      'a folder as Lambda has it',
      'app',
      files('app/a/B.class', 'app/lib/z.jar', 'app/lib/b.jar', 'app/lib/x.txt'),
      [...['app', 'app/lib/b.jar', 'app/lib/z.jar']],
    ],
    ['a jar', 'target/app-all.jar', files('target/app-all.jar', 'target/lib/a.jar'), ['target/app-all.jar']],
    [
      'a built Maven project',
      '.',
      files(
        'pom.xml',
        'target/classes/a/B.class',
        'target/app.jar',
        'target/original-app.jar',
        'target/app-sources.jar',
        'target/dependency/core.jar',
        'target/lib/gson.jar',
      ),
      [...['target/classes', 'target/app.jar', 'target/dependency/core.jar', 'target/lib/gson.jar']],
    ],
    ['a Maven project with a jar alone', 'app', files('app/pom.xml', 'app/target/app.jar'), ['app/target/app.jar']],
    [
      'a built Gradle project',
      'app',
      files(
        'app/build.gradle.kts',
        'app/build/classes/java/main/a/B.class',
        'app/build/classes/kotlin/main/C.class',
        'app/build/classes/java/test/T.class',
        'app/build/resources/main/x.yaml',
        'app/build/libs/app-all.jar',
        'app/build/install/app/lib/gson.jar',
      ),
      [
        ...[
          'classes/java/main',
          'classes/kotlin/main',
          'resources/main',
          'libs/app-all.jar',
          'install/app/lib/gson.jar',
        ].map((path) => `app/build/${path}`),
      ],
    ],
  ])('%s', async (_, path, written, expected) => {
    const { classPath } = await prepare(written, path);
    expect(classPath).toEqual([...expected, 'layer/java/lib/shared.jar']);
  });
});

test('the task root of a jar is its folder', async () => {
  expect(await prepare(files('target/app.jar'), 'target/app.jar')).toMatchObject({ codeDir: 'target', warnings: [] });
});

test('a project without a build is refused, with the commands that build it', async () => {
  await expect(prepare(files('app/pom.xml', 'app/src/main/java/a/B.java'), 'app')).rejects.toThrow(
    /^F: .*\/app has no compiled classes: run sam build, mvn package or gradle build first$/,
  );
});

describe('the output of sam build', () => {
  const OUTPUT = '.aws-sam/build/F';
  const project = files('app/pom.xml', 'app/src/B.java', `${OUTPUT}/a/B.class`, `${OUTPUT}/lib/core.jar`);
  const context = (builtSeconds: number) => (dir: string) => {
    utimesSync(join(dir, OUTPUT), builtSeconds, builtSeconds);
    return { samBuild: { codeDir: join(dir, OUTPUT), handler: 'a.B::c' } };
  };
  const LATER = 4_000_000_000;
  const fromSam = [OUTPUT, `${OUTPUT}/lib/core.jar`, 'layer/java/lib/shared.jar'];

  test('runs when it is newer than the source', async () => {
    const built = { ...project, ...files('app/target/classes/a/B.class') };
    expect(await prepare(built, 'app', context(LATER))).toMatchObject({ classPath: fromSam, warnings: [] });
  });

  test('is left for a later build of the project', async () => {
    const built = { ...project, ...files('app/target/classes/a/B.class') };
    const { classPath } = await prepare(built, 'app', context(0));
    expect(classPath).toEqual(['app/target/classes', 'layer/java/lib/shared.jar']);
  });

  test('runs with a warning when the source is newer and has no build', async () => {
    expect(await prepare(project, 'app', context(0))).toMatchObject({
      classPath: fromSam,
      warnings: ['F: its code has changed since sam build; run sam build again.'],
    });
  });
});

describe('a zip file', () => {
  test('is unpacked', async () => {
    // With one entry, lib/a.jar.
    const zip =
      'UEsDBBQAAAAAAAAAIVwAAAAAAAAAAAAAAAAJAAAAbGliL2EuamFyUEsBAhQDFAAAAAAAAAAhXAAAAAAAAAAAAAAAAAkAAAAAAAAA' +
      'AAAAAIABAAAAAGxpYi9hLmphclBLBQYAAAAAAQABADcAAAAnAAAAAAA=';
    const withZip = (dir: string) => {
      writeFileSync(join(dir, 'f.zip'), Buffer.from(zip, 'base64'));
      return {};
    };
    const { classPath = [] } = await prepare({ 'f.zip': '' }, 'f.zip', withZip);
    expect(classPath.map((path) => path.replace(/F-[0-9a-f]+/, 'F'))).toEqual([
      ...['cache/F', 'cache/F/lib/a.jar', 'layer/java/lib/shared.jar'],
    ]);
  });

  test('that cannot be unpacked is refused', async () => {
    await expect(prepare({ 'f.zip': 'no zip file' }, 'f.zip')).rejects.toThrow(
      /^F: its code .*f\.zip cannot be unpacked/,
    );
  });
});
