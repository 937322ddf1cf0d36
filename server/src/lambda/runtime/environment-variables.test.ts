import { describe, expect, test } from 'vitest';
import type { FunctionSpec } from '../spec/function-spec.ts';
import { writeFiles } from '../testing/local-lambda.ts';
import { hostRegion, NO_AWS, readAwsAccess } from './aws-access.ts';
import {
  type EnvironmentVariablesInput,
  functionEnvironmentVariables,
  invokedArn,
  localPath,
  logStreamName,
  startVariables,
} from './environment-variables.ts';

const spec: FunctionSpec = {
  logicalId: 'VanillaFunction',
  frameworkName: undefined,
  name: 'vanilla',
  runtime: 'nodejs22.x',
  handler: 'index.handler',
  codeDir: '/project',
  inlineCode: undefined,
  timeoutMs: 3000,
  memoryMb: 256,
  environmentVariables: {},
  tracing: 'Active',
  layerDirs: ['/layers/a', '/layers/b'],
  layerSourceDirs: [],
  architecture: 'x86_64',
  logging: { format: 'Text', applicationLevel: 'INFO', systemLevel: 'INFO', logGroup: '/aws/lambda/vanilla' },
  build: { kind: 'none' },
  reservedConcurrency: undefined,
  maxRetryAttempts: 2,
  maxEventAgeMs: 60_000,
  aliases: [],
  hasVersions: false,
  deadLetterArn: undefined,
  destinations: { onSuccess: undefined, onFailure: undefined },
  warnings: [],
  unsupportedReason: undefined,
};

function environment(input: Partial<EnvironmentVariablesInput> & { spec?: FunctionSpec } = {}) {
  return functionEnvironmentVariables({
    spec,
    codeDir: '/built',
    handler: 'index.handler',
    region: 'us-east-1',
    logStream: '2024/04/23/[$LATEST]ab',
    daemonAddress: '127.0.0.1:2000',
    runtimeDir: '/runtimes/node',
    aws: NO_AWS,
    environmentOverrides: {},
    hostVariables: { PATH: '/usr/bin', SECRET: 'of the host' },
    sourceMaps: false,
    endpointUrl: 'http://127.0.0.1:4000',
    queuePaths: new Map([['https://sqs.us-east-1.amazonaws.com/000000000000/orders', '/000000000000/orders']]),
    ...input,
  });
}

describe('the environment of a function', () => {
  test.each([
    ['python3.12', 'PYTHONPATH', '/layers/a'],
    ['nodejs22.x', 'NODE_PATH', '/layers/a/node_modules'],
  ])('of %s finds the packages of a layer that sam build has not built', (runtime, name, path) => {
    const layered = { ...spec, runtime, layerSourceDirs: ['/layers/a'] };
    expect(environment({ spec: layered })[name]?.split(':')).toContain(path);
    expect(environment({ spec: { ...layered, layerDirs: ['/built/a'] } })[name]?.split(':')).not.toContain(path);
    expect(environment({ spec: { ...layered, layerSourceDirs: [] } })[name]?.split(':')).not.toContain(path);
  });

  test('has Lambda’s variables', () => {
    const { PATH, NODE_PATH, LD_LIBRARY_PATH, TZ, ...others } = environment();
    expect(others).toEqual({
      _HANDLER: 'index.handler',
      AWS_ENDPOINT_URL_EVENTBRIDGE: 'http://127.0.0.1:4000',
      AWS_ENDPOINT_URL_LAMBDA: 'http://127.0.0.1:4000',
      AWS_ENDPOINT_URL_SNS: 'http://127.0.0.1:4000',
      AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:4000',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:2000',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x',
      AWS_LAMBDA_FUNCTION_NAME: 'vanilla',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/vanilla',
      AWS_LAMBDA_LOG_STREAM_NAME: '2024/04/23/[$LATEST]ab',
      AWS_ACCESS_KEY_ID: 'openray',
      AWS_SECRET_ACCESS_KEY: 'openray',
      AWS_SESSION_TOKEN: 'openray',
      LAMBDA_TASK_ROOT: '/built',
      LAMBDA_RUNTIME_DIR: '/runtimes/node',
      AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:2000',
      _AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1',
      _AWS_XRAY_DAEMON_PORT: '2000',
      AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
      LANG: 'en_US.UTF-8',
      PWD: '/built',
      OPENRAY_LOCAL: '1',
    });
    expect(TZ).toMatch(/^:?UTC$/);
    expect(PATH).toBe('/layers/b/bin:/layers/a/bin:/usr/bin');
    expect(NODE_PATH).toBe(
      '/layers/b/nodejs/node22/node_modules:/layers/b/nodejs/node_modules:/layers/a/nodejs/node22/node_modules:/layers/a/nodejs/node_modules:/built',
    );
    expect(LD_LIBRARY_PATH).toBe('/built:/built/lib:/layers/b/lib:/layers/a/lib');
  });

  test('has no variable that switches tracing off, and no trace header before the first event', () => {
    const names = Object.keys(
      environment({ spec: { ...spec, environmentVariables: { AWS_LAMBDA_MAX_CONCURRENCY: '10' } } }),
    );
    for (const name of [
      '_X_AMZN_TRACE_ID',
      'AWS_SAM_LOCAL',
      'AWS_CHALICE_CLI_MODE',
      'AWS_LAMBDA_MAX_CONCURRENCY',
      'SECRET',
    ]) {
      expect(names).not.toContain(name);
    }
  });

  test('has PYTHONPATH for Python, and no AWS_EXECUTION_ENV for provided', () => {
    expect(environment({ spec: { ...spec, runtime: 'python3.11' } })).toMatchObject({
      AWS_EXECUTION_ENV: 'AWS_Lambda_python3.11',
      PYTHONPATH: expect.stringContaining('/layers/b/python:/layers/b/python/lib/python3.11/site-packages:'),
    });
    expect(environment({ spec: { ...spec, runtime: 'provided.al2023' } })).not.toHaveProperty('AWS_EXECUTION_ENV');
  });

  test('has variables for JSON logging and source maps', () => {
    const logging = { ...spec.logging, format: 'JSON', applicationLevel: 'WARN' } as const;
    expect(environment({ spec: { ...spec, logging } })).toMatchObject({
      AWS_LAMBDA_LOG_FORMAT: 'JSON',
      AWS_LAMBDA_LOG_LEVEL: 'WARN',
    });
    const withOptions = { ...spec, environmentVariables: { NODE_OPTIONS: '--no-warnings' } };
    expect(environment({ spec: withOptions, sourceMaps: true }).NODE_OPTIONS).toBe(
      '--no-warnings --enable-source-maps',
    );
    expect(environment({ sourceMaps: true }).NODE_OPTIONS).toBe('--enable-source-maps');
  });
});

describe('the customer’s variables', () => {
  const declared = {
    ...spec,
    environmentVariables: {
      A: 'template',
      B: 'template',
      C: 'template',
      D: 'template',
      AWS_XRAY_CONTEXT_MISSING: 'IGNORE_ERROR',
      AWS_REGION: 'mars-1',
      _X_AMZN_TRACE_ID: 'stale',
    },
  };

  test('override the platform’s, except reserved names', () => {
    const env = environment({ spec: declared });
    expect(env).toMatchObject({ A: 'template', AWS_XRAY_CONTEXT_MISSING: 'IGNORE_ERROR', AWS_REGION: 'us-east-1' });
    expect(env).not.toHaveProperty('_X_AMZN_TRACE_ID');
  });

  test('take the value of the override file, else of the host', () => {
    const env = environment({
      spec: declared,
      environmentOverrides: {
        Parameters: { A: 'all', B: 'all', X: 'undeclared' },
        VanillaFunction: { B: 2, D: { Ref: 'x' } },
      },
      hostVariables: { A: 'host', C: 'host' },
    });
    expect(env).toMatchObject({ A: 'all', B: '2', C: 'host', D: '', X: 'undeclared' });
  });

  test('of the override file win over the template, the credentials and the platform', () => {
    const Parameters = {
      AWS_ACCESS_KEY_ID: 'mine',
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL: 'http://localhost:4566',
      AWS_ENDPOINT_URL_S3: 'http://localhost:9000',
      AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:3000',
      AWS_LAMBDA_MAX_CONCURRENCY: '10',
      _HANDLER: 'other.handler',
    };
    const env = environment({ spec: declared, environmentOverrides: { Parameters } });
    const { AWS_LAMBDA_MAX_CONCURRENCY, _HANDLER, ...used } = Parameters;
    expect(env).toMatchObject({ ...used, _HANDLER: 'index.handler' });
    for (const name of ['AWS_LAMBDA_MAX_CONCURRENCY', 'AWS_SESSION_TOKEN', 'AWS_ENDPOINT_URL_SQS']) {
      expect(env).not.toHaveProperty(name);
    }
  });

  test.each([
    [{ AWS_REGION: 'eu-west-1' }, 'eu-west-1', 'eu-west-1'],
    [{ AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-west-2' }, 'eu-west-1', 'eu-west-2'],
    [{ AWS_DEFAULT_REGION: 'eu-west-2' }, 'us-east-1', 'eu-west-2'],
    [{}, 'us-east-1', 'us-east-1'],
  ])('the override file %j gives the regions %s and %s', (Parameters, region, defaultRegion) => {
    const { AWS_REGION, AWS_DEFAULT_REGION } = environment({ environmentOverrides: { Parameters } });
    expect([AWS_REGION, AWS_DEFAULT_REGION]).toEqual([region, defaultRegion]);
  });

  test('gems of the bundle, of layers and of the runtime are found before those of the machine', async () => {
    const dir = await writeFiles({
      'code/vendor/bundle/ruby/3.3.0/a': '',
      'layer/ruby/gems/3.3.0/a': '',
      'packages/ruby/gems/a': '',
    });
    const ruby = { ...spec, runtime: 'ruby3.3', layerDirs: [`${dir}/layer`] };
    const env = environment({ spec: ruby, codeDir: `${dir}/code`, packagesDir: `${dir}/packages` });
    const folders = [`${dir}/code/vendor/bundle/ruby/3.3.0`, `${dir}/layer/ruby/gems/3.3.0`, `${dir}/packages/ruby`];
    expect(env.GEM_PATH).toBe(`${folders.join(':')}:`);
    expect(env.RUBYLIB).toBe(`${dir}/code:${dir}/layer/ruby/lib`);
  });

  test('the wrapper of the override file wins over that of the template; an empty one starts none', () => {
    const wrapped = { ...spec, environmentVariables: { AWS_LAMBDA_EXEC_WRAPPER: '/opt/template' } };
    expect(startVariables(wrapped, {}, '/built').wrapper).toBe('/opt/template');
    expect(startVariables(wrapped, { Parameters: { AWS_LAMBDA_EXEC_WRAPPER: '/bin/mine' } }, '/built').wrapper).toBe(
      '/bin/mine',
    );
    expect(startVariables(spec, { vanilla: { AWS_LAMBDA_EXEC_WRAPPER: '/bin/mine' } }, '/built').wrapper).toBe(
      '/bin/mine',
    );
    expect(startVariables(wrapped, { Parameters: { AWS_LAMBDA_EXEC_WRAPPER: '' } }, '/built').wrapper).toBeFalsy();
  });

  test('an override block may have the function’s name', () => {
    expect(environment({ spec: declared, environmentOverrides: { vanilla: { A: true } } }).A).toBe('true');
  });

  test('the URL of a queue in the template becomes its local URL', () => {
    const url = 'https://sqs.us-east-1.amazonaws.com/000000000000/orders';
    expect(environment({ spec: { ...spec, environmentVariables: { QUEUE_URL: url } } }).QUEUE_URL).toBe(
      'http://127.0.0.1:4000/000000000000/orders',
    );
  });

  test('an AWS endpoint in the template replaces the local endpoints', () => {
    const environmentVariables = { AWS_ENDPOINT_URL: 'http://localhost:4566' };
    expect(environment({ spec: { ...spec, environmentVariables } })).not.toHaveProperty('AWS_ENDPOINT_URL_SQS');
  });

  test('paths of Lambda become real paths where the file exists', async () => {
    const code = await writeFiles({ 'config.yaml': '' });
    const layer = await writeFiles({ 'otel-instrument': '' });
    expect(localPath('/var/task/config.yaml', code, [])).toBe(`${code}/config.yaml`);
    expect(localPath('/var/task/none', code, [])).toBe('/var/task/none');
    expect(localPath('/opt/otel-instrument', code, [layer])).toBe(`${layer}/otel-instrument`);
    expect(localPath('see /var/task/config.yaml', code, [])).toBe('see /var/task/config.yaml');
  });
});

describe('access to AWS', () => {
  const host = {
    AWS_ACCESS_KEY_ID: 'AKIACALLER',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_PROFILE: 'work',
    AWS_ENDPOINT_URL: 'http://localhost:4566',
    AWS_ENDPOINT_URL_S3: 'http://localhost:9000',
    HTTPS_PROXY: 'http://proxy:8080',
    NO_PROXY: '.example.com',
    NODE_EXTRA_CA_CERTS: '/etc/company.pem',
    SECRET: 'of the host',
  };
  const withAws = (flags: Parameters<typeof readAwsAccess>[0], more: Partial<EnvironmentVariablesInput> = {}) =>
    environment({ aws: readAwsAccess(flags, host), ...more });

  test('passthrough passes on credentials, profile, endpoints, proxy and certificates, and nothing else', () => {
    const { SECRET, NO_PROXY, ...passedOn } = host;
    const env = withAws({ mode: 'passthrough', endpoint: undefined });
    expect(env).toMatchObject(passedOn);
    expect(env).toMatchObject({ NO_PROXY: '.example.com,localhost,127.0.0.1', no_proxy: env.NO_PROXY });
    expect(env).toMatchObject({ AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:4000' });
    expect(env).not.toHaveProperty('AWS_SESSION_TOKEN');
    expect(env).not.toHaveProperty('SECRET');
  });

  test('an endpoint of the caller for one service wins over the local service', () => {
    const aws = readAwsAccess(
      { mode: 'passthrough', endpoint: undefined },
      { AWS_ENDPOINT_URL_SQS: 'http://localhost:9324' },
    );
    expect(environment({ aws }).AWS_ENDPOINT_URL_SQS).toBe('http://localhost:9324');
  });

  test('none passes nothing on; an emulator gets all other services and no credentials of the caller', () => {
    expect(withAws({ mode: 'none', endpoint: undefined })).toEqual(environment());
    expect(withAws({ mode: 'none', endpoint: 'http://127.0.0.1:5000' })).toEqual({
      ...environment(),
      AWS_ENDPOINT_URL: 'http://127.0.0.1:5000',
    });
  });

  test('the endpoint of the flag wins over those of the caller', () => {
    const env = withAws({ mode: 'passthrough', endpoint: 'http://127.0.0.1:5000' });
    expect(env).toMatchObject({ AWS_ACCESS_KEY_ID: 'AKIACALLER', AWS_ENDPOINT_URL: 'http://127.0.0.1:5000' });
    expect(env).not.toHaveProperty('AWS_ENDPOINT_URL_S3');
  });

  test.each([
    ['[default]\nregion = eu-west-1\n', '', false, 'eu-west-1'],
    ['[default]\nregion=eu-west-1\nsso_session = work\n', '', true, 'eu-west-1'],
    ['[profile other]\nrole_arn = arn:aws:iam::1:role/a\n', '[other]\naws_access_key_id = a\n', false, undefined],
    ['', '[default]\naws_access_key_id = AKIA\naws_secret_access_key = s\n', true, undefined],
  ])('the files %j and %j in the home folder', async (config, credentials, hasCredentials, region) => {
    const HOME = await writeFiles({ '.aws/config': config, '.aws/credentials': credentials });
    const aws = readAwsAccess({ mode: 'passthrough', endpoint: undefined }, { HOME });
    expect(aws.hasCredentials).toBe(hasCredentials);
    expect(hostRegion({ HOME })).toBe(region);
    expect(environment({ aws }).AWS_ACCESS_KEY_ID).toBe(hasCredentials ? undefined : 'openray');
  });
});

test('log streams and ARNs', () => {
  expect(logStreamName(Date.UTC(2024, 3, 23, 23, 59) * 1000, 'ab'.repeat(16))).toBe(
    `2024/04/23/[$LATEST]${'ab'.repeat(16)}`,
  );
  expect(invokedArn('f', 'us-east-1', '000000000000', undefined)).toBe(
    'arn:aws:lambda:us-east-1:000000000000:function:f',
  );
  expect(invokedArn('f', 'us-east-1', '000000000000', 'prod')).toBe(
    'arn:aws:lambda:us-east-1:000000000000:function:f:prod',
  );
});
