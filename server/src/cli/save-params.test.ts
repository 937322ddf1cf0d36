import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readSamConfig, samParameters } from './sam-config.ts';
import { saveParameters } from './save-params.ts';

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
    expect(readSamConfig({ command: 'local_start_api', file })).toEqual(READ);
    expect(after().includes('# a comment')).toBe(text?.includes('# a comment') === true);
  });
});

test('flags that a samconfig file cannot hold are named, and the profile is saved', () => {
  expect(samParameters({ profile: 'shop', event: false, aws: 'none' })).toEqual({
    parameters: { profile: 'shop' },
    others: ['event', 'aws'],
  });
});

test('a file in UTF-16 is read as such', () => {
  const { file } = edited('samconfig.toml', undefined);
  writeFileSync(
    file,
    Buffer.from('\ufeffversion = 0.1\n[default.deploy.parameters]\nregion = "eu-west-1"\n', 'utf16le'),
  );
  saveParameters(file, ['default', 'local_start_api'], PARAMETERS);
  expect(readSamConfig({ command: 'local_start_api', file })).toEqual(READ);
  expect(readSamConfig({ command: 'deploy', file })).toEqual({ region: 'eu-west-1' });
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
