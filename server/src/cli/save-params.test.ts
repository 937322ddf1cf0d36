import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Option } from 'commander';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readSamConfig, samParameters } from './sam-config.ts';
import { saveParameters } from './save-params.ts';
import { startApiCommand } from './start-functions.ts';

const { options } = startApiCommand(() => undefined);
const PARAMETERS = { port: '4000', template_file: 'infra/a "b".yaml', parameter_overrides: ['A=1', 'B="x y"'] };
const READ = { port: '4000', template: 'infra/a "b".yaml', parameterOverrides: ['A=1', 'B="x y"'] };

function edited(name: string, text: string | undefined): { readonly file: string; readonly after: () => string } {
  const folder = mkdtempSync(join(tmpdir(), 'openray-save-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, name);
  if (text !== undefined) writeFileSync(file, text);
  return { file, after: () => readFileSync(file, 'utf8') };
}

const FILES: readonly (readonly [name: string, text: string | undefined])[] = [
  ['samconfig.toml', undefined],
  ['samconfig.toml', 'version = 0.1\n# a comment\n[default.deploy.parameters]\nstack_name = "shop"\n'],
  ['samconfig.toml', '[default.local_start_api.parameters]\nport = 3000\nwarm_containers = "EAGER"\n[b]\nport = 1\n'],
  ['samconfig.yaml', undefined],
  ['samconfig.yaml', '# a comment\ndefault:\n  local_start_api:\n    parameters:\n      port: 3000\n'],
];

describe('saved parameters are read again, and comments stay', () => {
  test.each(FILES)('%s %j', (name, text) => {
    const { file, after } = edited(name, text);
    saveParameters(file, ['default', 'local_start_api'], PARAMETERS);
    saveParameters(file, ['default', 'local_start_api'], PARAMETERS);
    expect(readSamConfig({ command: 'local_start_api', options, file })).toEqual(READ);
    expect(after().includes('# a comment')).toBe(text?.includes('# a comment') === true);
  });
});

test('all given flags are saved under the keys of SAM, except those that may hold secrets', () => {
  const own = ['--aws <mode>', '--aws-endpoint <url>', '--store-url <url>', '--tracing <mode>'].map(
    (flag) => new Option(flag),
  );
  const given = {
    ...{ template: 't.yaml', profile: 'shop', aws: 'none', awsEndpoint: 'http://127.0.0.1:4566', tracing: 'active' },
    ...{
      layer: ['A=a'],
      watch: false,
      disableAuthorizer: true,
      storeUrl: 'http://u:p@h/',
      stackName: 's',
      saveParams: true,
    },
  };
  expect(samParameters([...options, ...own], given)).toEqual({
    parameters: {
      template_file: 't.yaml',
      profile: 'shop',
      aws: 'none',
      aws_endpoint: 'http://127.0.0.1:4566',
      tracing: 'active',
      layer: ['A=a'],
      no_watch: true,
      disable_authorizer: true,
    },
    saved: [
      '--template',
      '--profile',
      '--aws',
      '--aws-endpoint',
      '--tracing',
      '--layer',
      '--no-watch',
      '--disable-authorizer',
    ],
    others: ['--store-url', '--stack-name'],
  });
});

test('a file in UTF-16 is read as such', () => {
  const { file } = edited('samconfig.toml', undefined);
  writeFileSync(file, Buffer.from('\ufeffversion = 0.1\n[default.deploy.parameters]\nhost = "::1"\n', 'utf16le'));
  saveParameters(file, ['default', 'local_start_api'], PARAMETERS);
  expect(readSamConfig({ command: 'local_start_api', options, file })).toEqual(READ);
  expect(readSamConfig({ command: 'deploy', options, file })).toEqual({ host: '::1' });
});

test.each([
  'default = { local_start_api = { parameters = { port = 1 } } }\n',
  '[default.local_start_api.parameters]\nport = """\n1\n"""\n',
  '[default.local_start_api.parameters] # a comment\nport = 1\n',
])('a file that cannot be edited line by line is left alone: %j', (text) => {
  const { file, after } = edited('samconfig.toml', text);
  expect(() => saveParameters(file, ['default', 'local_start_api'], { port: '4000' })).toThrow(
    'add these lines to [default.local_start_api.parameters]: port = "4000"',
  );
  expect(after()).toBe(text);
});

test('a file that cannot be written is named in one sentence', () => {
  const file = join(tmpdir(), 'openray-no-such-folder', 'samconfig.toml');
  expect(() => saveParameters(file, ['default', 'local_invoke'], PARAMETERS)).toThrow(
    expect.objectContaining({
      code: 'InvalidRequestException',
      message: expect.stringContaining(`--save-params cannot write ${file}: `),
    }),
  );
});
