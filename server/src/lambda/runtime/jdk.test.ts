import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { writeFiles } from '../testing/local-lambda.ts';
import { findJdk, jdkTool } from './jdk.ts';

const jdk = (folder: string, version: string) => ({
  [`${folder}/release`]: `IMPLEMENTOR="x"\nJAVA_VERSION="${version}"\n`,
  [`${folder}/bin/java`]: '',
});

async function machine() {
  const dir = await writeFiles({
    ...jdk('mine', '21.0.3'),
    ...jdk('old', '1.8.0_402'),
    ...jdk('path', '17.0.15'),
    ...jdk('usual/zulu-25', '25'),
    ...jdk('usual/temurin-22.jdk/Contents/Home', '22.0.1'),
    'usual/no-java/readme': '',
    'script/bin/java': '#!/bin/sh\necho \'openjdk version "19.0.2" 2023-01-17\' >&2\n',
    'stub/bin/java': '#!/bin/sh\nexit 1\n',
  });
  for (const name of ['script', 'stub']) chmodSync(`${dir}/${name}/bin/java`, 0o755);
  mkdirSync(`${dir}/bin`);
  symlinkSync(`${dir}/path/bin/java`, `${dir}/bin/java`);
  return dir;
}

test.each([
  ['JAVA_HOME, also when it is newer', 17, { JAVA_HOME: 'DIR/mine', PATH: 'DIR/bin' }, 'mine', 21],
  ['java on the PATH when JAVA_HOME is too old', 11, { JAVA_HOME: 'DIR/old', PATH: 'DIR/bin' }, 'path', 17],
  ['java on the PATH behind a link', 17, { PATH: '/nowhere:DIR/bin' }, 'path', 17],
  ['a script without a release file', 17, { JAVA_HOME: 'DIR/script' }, 'script', 19],
  ['the oldest of the usual folders that is new enough', 21, {}, 'usual/temurin-22.jdk/Contents/Home', 22],
  ['a usual folder when JAVA_HOME and the PATH are too old', 25, { JAVA_HOME: 'DIR/mine' }, 'usual/zulu-25', 25],
  ['a usual folder when JAVA_HOME has no Java behind it', 23, { JAVA_HOME: 'DIR/stub' }, 'usual/zulu-25', 25],
])('Java is %s', async (_, wanted, variables: Record<string, string>, home, version) => {
  const dir = await machine();
  const here = Object.fromEntries(Object.entries(variables).map(([name, text]) => [name, text.replace('DIR', dir)]));
  expect(findJdk(wanted, here, [`${dir}/usual`, `${dir}/none`])).toEqual({
    jdk: { home: `${dir}/${home}`, version },
    found: undefined,
  });
});

test('without a Java that is new enough, the user’s own is named', async () => {
  const dir = await machine();
  const search = (variables: Record<string, string>) => findJdk(21, variables, []);
  expect(search({ JAVA_HOME: `${dir}/old` })).toEqual({ jdk: undefined, found: { home: `${dir}/old`, version: 8 } });
  expect(search({ PATH: `${dir}/bin` })).toEqual({ jdk: undefined, found: { home: `${dir}/path`, version: 17 } });
  expect(search({ JAVA_HOME: `${dir}/nothing`, PATH: '/nowhere' })).toEqual({ jdk: undefined, found: undefined });
});

test('a tool is that of JAVA_HOME, else the one on the PATH', async () => {
  const dir = await writeFiles({ 'bin/javac': '' });
  expect(jdkTool('javac', { JAVA_HOME: dir })).toBe(`${dir}/bin/javac`);
  expect(jdkTool('jar', { JAVA_HOME: dir })).toBe('jar');
  expect(jdkTool('javac', {})).toBe('javac');
});
