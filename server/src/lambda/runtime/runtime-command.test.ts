import { chmodSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { FunctionSpec } from '../spec/function-spec.ts';
import { parseTemplate } from '../template/template.ts';
import { writeFiles } from '../testing/local-lambda.ts';
import { runtimeCommand, runtimeVersion } from './runtime-command.ts';

function spec(runtime: string): FunctionSpec {
  const text = `Resources: {F: {Type: AWS::Serverless::Function, Properties: {Runtime: ${runtime}, Handler: a.b}}}`;
  const options = { parameters: {}, region: 'us-east-1', accountId: '000000000000' };
  return parseTemplate(text, '/project/template.yaml', options).functions[0] as FunctionSpec;
}

async function programs(...names: string[]): Promise<string> {
  const dir = await writeFiles(Object.fromEntries(names.map((name) => [name, ''])));
  for (const name of names) chmodSync(`${dir}/${name}`, 0o755);
  return dir;
}

const CODE = { codeDir: '/code' };
const NO_VARIABLES = { wrapper: undefined, javaToolOptions: undefined };
const base = { nodePath: process.execPath, pythonPath: undefined, runtimesDir: '/runtimes', hostVariables: {} };
const major = process.versions.node.split('.')[0];

describe('Node', () => {
  test('is the one that runs openray; another major version is a warning', () => {
    expect(runtimeCommand(spec(`nodejs${major}.x`), CODE, base, NO_VARIABLES)).toEqual({
      ok: true,
      command: [process.execPath, '/runtimes/node/bootstrap.cjs'],
      runtimeDir: '/runtimes/node',
      warning: undefined,
    });
    expect(runtimeCommand(spec('nodejs18.x'), CODE, base, NO_VARIABLES)).toMatchObject({
      warning: `F asks for nodejs18.x and runs on Node ${process.versions.node}.`,
    });
  });

  test('is started by the customer’s wrapper', () => {
    expect(
      runtimeCommand(spec(`nodejs${major}.x`), CODE, base, { ...NO_VARIABLES, wrapper: '/layer/wrap' }),
    ).toMatchObject({
      command: ['/layer/wrap', process.execPath, '/runtimes/node/bootstrap.cjs'],
    });
  });
});

describe('Python', () => {
  const program = (hostVariables: Record<string, string>, pythonPath?: string) => {
    const found = runtimeCommand(spec('python3.11'), CODE, { ...base, hostVariables, pythonPath }, NO_VARIABLES);
    return found.ok ? found.command[0] : found.reason;
  };

  test('is the named one, else that of the virtual environment, else that of the version, else any', async () => {
    const both = await programs('python3.11', 'python3');
    const any = await programs('python3');
    const venv = await programs('bin/python3');
    expect(program({ PATH: both, VIRTUAL_ENV: venv }, '/my/python')).toBe('/my/python');
    expect(program({ PATH: both, VIRTUAL_ENV: venv })).toBe(`${venv}/bin/python3`);
    expect(program({ PATH: `${any}:${both}` })).toBe(`${both}/python3.11`);
    expect(program({ PATH: any })).toBe(`${any}/python3`);
    expect(program({ PATH: '/nowhere' })).toBe('F needs python3.11: install Python 3, or name it with --python.');
  });
});

test('a shim of a version manager is skipped when no program is behind it', async () => {
  const dir = await writeFiles({
    'shims/python3.11': '#!/bin/sh\nexit 127\n',
    'shims/python3.12': '#!/bin/sh\nexit 0\n',
    python3: '',
  });
  for (const name of ['shims/python3.11', 'shims/python3.12', 'python3']) chmodSync(`${dir}/${name}`, 0o755);
  const command = (runtime: string) =>
    runtimeCommand(spec(runtime), CODE, { ...base, hostVariables: { PATH: `${dir}/shims:${dir}` } }, NO_VARIABLES);
  expect(command('python3.11')).toMatchObject({ command: [`${dir}/python3`, expect.any(String)] });
  expect(command('python3.12')).toMatchObject({ command: [`${dir}/shims/python3.12`, expect.any(String)] });
});

test('INIT_START names runtime and version', () => {
  const { version, arn } = runtimeVersion('python3.11', ['python3'], 'us-east-1');
  expect(version).toBe('python:3.11');
  expect(arn).toMatch(/^arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$/);
  expect(runtimeVersion('nodejs22.x', [], 'us-east-1').version).toBe('nodejs:22');
  expect(runtimeVersion('provided.al2023', [], 'us-east-1').version).toBe('provided:al2023');
});
