import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readSamConfig } from './sam-config.ts';

function file(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'openray-samconfig-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('samconfig', () => {
  const toml = `
version = 0.1
[default.global.parameters]
stack_name = "shop"
template_file = "infra/template.yaml"
[default.local_invoke.parameters]
event = "events/valid.json"
parameter_overrides = ["Url=http://localhost:1", "Level=INFO"]
[default.local_start_api.parameters]
port = 4000
warm_containers = "EAGER"
[prod.global.parameters]
template_file = "prod.yaml"
`;

  test('gives a command its own flags over the flags of all commands', () => {
    const path = file('samconfig.toml', toml);
    expect(readSamConfig({ command: 'local_invoke', file: path })).toEqual({
      template: 'infra/template.yaml',
      event: 'events/valid.json',
      parameterOverrides: ['Url=http://localhost:1', 'Level=INFO'],
    });
    expect(readSamConfig({ command: 'local_start_api', file: path })).toEqual({
      template: 'infra/template.yaml',
      port: '4000',
    });
    expect(readSamConfig({ command: 'local_invoke', file: path, configEnv: 'prod' })).toEqual({
      template: 'prod.yaml',
    });
  });

  test('may be YAML', () => {
    const path = file('samconfig.yaml', 'default: {global: {parameters: {parameter_overrides: {Url: a b}}}}');
    expect(readSamConfig({ command: 'local_invoke', file: path })).toEqual({ parameterOverrides: ['Url="a b"'] });
  });

  test('gives no flags when it does not exist, and an error with the reason when it cannot be read', () => {
    expect(readSamConfig({ command: 'local_invoke' })).toEqual({});
    expect(() => readSamConfig({ command: 'local_invoke', file: file('samconfig.toml', 'a = ') })).toThrow(
      /samconfig.toml cannot be read: /,
    );
  });
});
