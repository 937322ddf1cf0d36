import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatSetting, isLoopback, loadConfig, settings } from './config.ts';

test('the reference lists every setting with its flag, variable and default', () => {
  const page = readFileSync(new URL('../../docs/reference/settings.md', import.meta.url), 'utf8');
  const { config } = loadConfig({}, {});
  for (const { name, flag, variable, meaning } of settings) {
    const value = name === 'dataDir' ? '~/.openray' : config[name];
    const shown = value === undefined || Array.isArray(value) ? 'none' : String(value);
    expect(page).toContain(`| \`${flag}\` | \`${variable}\` | ${shown} | ${meaning} |`);
  }
});

test.each(['127.0.0.1', '127.8.9.1', '::1', 'localhost'])('%s is loopback', (host) => {
  expect(isLoopback(host)).toBe(true);
});

test.each(['0.0.0.0', '::', '10.0.0.1', 'example.com', '127.example.com', '1270.0.0.1'])(
  '%s is not loopback',
  (host) => {
    expect(isLoopback(host)).toBe(false);
    expect(() => loadConfig({ host }, {})).toThrow('not a loopback address');
  },
);

test('a port is a whole number from 0 to 65535; an error names its flag', () => {
  fc.assert(
    fc.property(fc.oneof(fc.integer(), fc.double(), fc.string()), (port) => {
      const isPort =
        String(port).trim() !== '' && Number.isInteger(Number(port)) && Number(port) >= 0 && Number(port) <= 65_535;
      fc.pre(String(port).trim() !== '');
      if (isPort) expect(loadConfig({ port }, {}).config.port).toBe(Number(port));
      else expect(() => loadConfig({ port }, {})).toThrow('setting port (--port)');
    }),
  );
});

test('a text with commas is a list', () => {
  const { config } = loadConfig({}, { OPENRAY_PARAMETER_OVERRIDES: 'Stage=dev,Url=http://localhost:1/?a=b' });
  expect(config.parameterOverrides).toEqual(['Stage=dev', 'Url=http://localhost:1/?a=b']);
});

test('a semicolon before a number of days separates retention rules', () => {
  const rules = ['7d service("a; 9") AND annotation.b = ";"', '90d fault = true'];
  expect(loadConfig({ retentionRules: rules.join('; ') }, {}).config.retentionRules).toEqual(rules);
});

test('a password is not shown', () => {
  const { config } = loadConfig({ storeUrl: 'http://ray:s3cr3t@one:8123,two:8123/openray?cluster=main' }, {});
  expect(formatSetting(config, 'storeUrl')).toBe('"http://ray:***@one:8123,two:8123/openray?cluster=main"');
  expect(formatSetting(config, 'port')).toBe('2000');
});

test('credentials of a forwarding backend are not shown', () => {
  const { config } = loadConfig(
    {
      forwardOtlp: 'https://me:s3cr3t@otlp.example.com/v1/traces?api-key=s3cr3t',
      forwardOtlpHeaders: 'authorization=Bearer s3cr3t=,x-team=red',
      forwardXray: 'eu-west-1',
    },
    {},
  );
  expect(formatSetting(config, 'forwardOtlp')).toBe('"https://me:***@otlp.example.com/v1/traces?api-key=***"');
  expect(formatSetting(config, 'forwardOtlpHeaders')).toBe('["authorization=***","x-team=***"]');
  expect(formatSetting(config, 'forwardXray')).toBe('"eu-west-1"');
});

test.each([
  ['forwardOtlp', 'localhost:4318', 'must be an http or https URL'],
  ['forwardXray', 'ireland', 'forwardXray'],
])('%s cannot be %s', (name, value, sentence) => {
  expect(() => loadConfig({ [name]: value }, {})).toThrow(sentence);
});
