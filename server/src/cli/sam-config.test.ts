import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { invokeCommand } from './invoke.ts';
import { readSamConfig } from './sam-config.ts';
import { startApiCommand } from './start-functions.ts';

const options = [...invokeCommand(() => undefined).options, ...startApiCommand(() => undefined).options];

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
    expect(readSamConfig({ command: 'local_invoke', options, file: path })).toEqual({
      template: 'infra/template.yaml',
      event: 'events/valid.json',
      parameterOverrides: ['Url=http://localhost:1', 'Level=INFO'],
    });
    expect(readSamConfig({ command: 'local_start_api', options, file: path })).toEqual({
      template: 'infra/template.yaml',
      port: '4000',
    });
    expect(readSamConfig({ command: 'local_invoke', options, file: path, configEnv: 'prod' })).toEqual({
      template: 'prod.yaml',
    });
  });

  test('gives switches and lists the form that they have on a command line', () => {
    const path = file(
      'samconfig.toml',
      `[default.local_start_api.parameters]
disable_authorizer = true
no_watch = true
watch = true
save_params = true
debug = true
layer = ["A=a", "B=b"]
tracing = "active"
[default.local_invoke.parameters]
no_event = true
fail_on_error = false
schedule = true
parameter = { Qualifier = "live" }
`,
    );
    expect(
      readSamConfig({ command: 'local_start_api', options: startApiCommand(() => undefined).options, file: path }),
    ).toEqual({
      disableAuthorizer: true,
      watch: false,
      layer: ['A=a', 'B=b'],
    });
    expect(readSamConfig({ command: 'local_invoke', options, file: path })).toEqual({
      event: false,
      schedule: true,
      parameter: ['Qualifier=live'],
    });
  });

  test('may be YAML', () => {
    const path = file('samconfig.yaml', 'default: {global: {parameters: {parameter_overrides: {Url: a b}}}}');
    expect(readSamConfig({ command: 'local_invoke', options, file: path })).toEqual({
      parameterOverrides: ['Url="a b"'],
    });
  });

  test('gives no flags when it does not exist, and an error with the reason when it cannot be read', () => {
    expect(readSamConfig({ command: 'local_invoke', options })).toEqual({});
    expect(() => readSamConfig({ command: 'local_invoke', options, file: file('samconfig.toml', 'a = ') })).toThrow(
      /samconfig.toml cannot be read: /,
    );
  });
});
