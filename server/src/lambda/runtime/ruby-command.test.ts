import { chmodSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { FunctionSpec } from '../spec/function-spec.ts';
import { writeFiles } from '../testing/local-lambda.ts';
import { runtimeCommand, runtimeVersion } from './runtime-command.ts';

async function start(runtime: string, rubies: Readonly<Record<string, string>>, gems = ['aws_lambda_ric-3.1.3']) {
  const dir = await writeFiles({
    ...Object.fromEntries(
      Object.entries(rubies).map(([name, version]) => [`bin/${name}`, `#!/bin/sh\necho 'ruby ${version}p1 (x)'\n`]),
    ),
    ...Object.fromEntries(gems.map((gem) => [`packages/ruby/gems/${gem}/lib/x.rb`, ''])),
  });
  for (const name of Object.keys(rubies)) chmodSync(`${dir}/bin/${name}`, 0o755);
  const spec = { logicalId: 'F', runtime, layerDirs: [] } as unknown as FunctionSpec;
  const found = runtimeCommand(
    spec,
    { codeDir: '/code' },
    {
      nodePath: process.execPath,
      pythonPath: undefined,
      runtimesDir: '/runtimes',
      packagesDir: `${dir}/packages`,
      hostVariables: { PATH: `${dir}/bin` },
    },
    { wrapper: undefined, javaToolOptions: undefined },
  );
  return JSON.parse(JSON.stringify(found).replaceAll(dir, 'DIR'));
}

describe('Ruby', () => {
  test('starts the client of AWS by openray’s bootstrap', async () => {
    expect(await start('ruby3.3', { ruby: '3.3.1', 'ruby3.2': '3.2.0' })).toEqual({
      ok: true,
      command: ['DIR/bin/ruby', '/runtimes/ruby/bootstrap.rb', 'DIR/packages/ruby/gems/aws_lambda_ric-3.1.3/lib'],
      runtimeDir: '/runtimes/ruby',
    });
  });

  test.each([
    ['ruby3.2', { ruby: '3.3.1', 'ruby3.2': '3.2.0' }, { command: expect.arrayContaining(['DIR/bin/ruby3.2']) }],
    ['ruby3.4', { ruby: '3.1.2' }, { warning: 'F asks for ruby3.4 and runs on Ruby 3.1.2.' }],
    ['ruby3.4', { ruby: '4.0.0' }, { warning: 'F asks for ruby3.4 and runs on Ruby 4.0.0.' }],
    [
      'ruby3.4',
      { ruby: '2.6.10' },
      { reason: 'F needs ruby3.4; DIR/bin/ruby is Ruby 2.6.10: install Ruby 3, and put it first on the PATH.' },
    ],
    ['ruby3.4', {}, { reason: 'F needs ruby3.4: install Ruby 3, and put it first on the PATH.' }],
  ])('%s with %o', async (runtime, rubies: Record<string, string>, expected) => {
    expect(await start(runtime, rubies)).toMatchObject(expected);
  });

  test('without the client, names the command that installs it', async () => {
    expect(await start('ruby3.3', { ruby: '3.3.1' }, ['logger-1.7.0'])).toEqual({
      ok: false,
      reason: 'F needs ruby3.3: run openray runtime install ruby, once on this machine.',
    });
  });
});

test('INIT_START names Ruby and its version', () => {
  expect(runtimeVersion('ruby3.3', [], 'us-east-1').version).toBe('ruby:3.3');
});
