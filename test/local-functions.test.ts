import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { waitForTrace } from 'openray/testing';
import 'openray/testing/vitest';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { cleanEnvironment, runOpenray } from '../scripts/openray.ts';
import type { WireLogEvent } from '../server/src/api/types.ts';
import { removeFolder, startTestServer, type TestServer, temporaryFolder } from './support/server.ts';
import { eventually, waitFor } from './support/wait.ts';

const PROGRAM = new URL('../server/bin/openray.cjs', import.meta.url).pathname;

const TEMPLATE = `
Globals:
  Api: { TracingEnabled: true }
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: index.handler
      Runtime: nodejs20.x
      Timeout: 60
      Tracing: Active
      Events: { Get: { Type: Api, Properties: { Path: '/orders/{id}', Method: get } } }
`;

let folder: string;
let server: TestServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder, 'template.yaml'), TEMPLATE);
  await writeFile(
    join(folder, 'index.js'),
    `exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify({ id: event.pathParameters?.id ?? event.id }) });`,
  );
  server = await startTestServer();
});

afterAll(async () => {
  await server.stop();
  await removeFolder(server.dataDir);
  await removeFolder(folder);
});

/** Starts a command that runs until SIGTERM; resolves with the first URL in its output. */
async function start(...args: readonly string[]): Promise<string> {
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    env: cleanEnvironment({ OPENRAY_PORT: new URL(server.url).port, OPENRAY_DATA_DIR: join(folder, 'data') }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
  });
  let printed = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    printed += bytes.toString();
  });
  return waitFor('the URL', () => /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0]);
}

test('openray invoke --watch runs the function again when its code changes', async () => {
  await writeFile(join(folder, 'watched.js'), 'exports.handler = async () => "first";');
  await writeFile(
    join(folder, 'watched.yaml'),
    TEMPLATE.replace('index.handler', 'watched.handler').replace(/ {6}Events.*\n/, ''),
  );
  await writeFile(
    join(folder, 'samconfig.toml'),
    '[default.local_invoke.parameters]\ntemplate_file = "watched.yaml"\n',
  );
  const child = spawn(process.execPath, [PROGRAM, 'invoke', '--watch'], {
    cwd: folder,
    env: cleanEnvironment({ OPENRAY_PORT: new URL(server.url).port }),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let printed = '';
  child.stdout.on('data', (bytes: Buffer) => {
    printed += bytes.toString();
  });
  await waitFor('the first answer', () => printed.includes('"first"') || undefined);
  await waitFor('the second answer', async () => {
    await writeFile(join(folder, 'watched.js'), 'exports.handler = async () => "second";');
    return printed.includes('"second"') || undefined;
  });
  child.kill('SIGTERM');
  await once(child, 'exit');
});

test('openray invoke --schedule sends the event of the schedule', async () => {
  const events =
    "Events: {Hourly: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}, Nightly: {Type: ScheduleV2, Properties: {ScheduleExpression: 'cron(0 3 * * ? *)', Input: '{\"job\":7}'}}}";
  await writeFile(join(folder, 'scheduled.js'), 'exports.handler = async (event) => event;');
  await writeFile(
    join(folder, 'scheduled.yaml'),
    TEMPLATE.replace('index.handler', 'scheduled.handler').replace(/Events.*/, events),
  );
  const env = { OPENRAY_PORT: new URL(server.url).port };
  const invoke = (...flags: readonly string[]) =>
    runOpenray(['invoke', 'Orders', '-t', 'scheduled.yaml', '--schedule', ...flags], { cwd: folder, env });
  const hourly = await invoke();
  expect(JSON.parse(hourly.stdout)).toMatchObject({
    'detail-type': 'Scheduled Event',
    resources: ['arn:aws:events:us-east-1:000000000000:rule/OrdersHourly'],
  });
  expect((await invoke('OrdersNightly')).stdout).toBe('{"job":7}');
  const wrong = await invoke('Weekly');
  expect(wrong.stderr).toContain('Orders has no schedule Weekly, but OrdersHourly, OrdersNightly');
  expect(wrong.exitCode).toBe(2);
});

describe('the output of functions', () => {
  test('is stored with its trace and invocation: openray logs, traces and graph print it', async () => {
    const metric = {
      _aws: {
        Timestamp: 1,
        CloudWatchMetrics: [
          { Namespace: 'Shop', Dimensions: [['service']], Metrics: [{ Name: 'Orders', Unit: 'Count' }] },
        ],
      },
      service: 'orders',
      Orders: 2,
    };
    await writeFile(
      join(folder, 'printing.js'),
      `exports.handler = async () => { console.error('careful\\nnow'); process.stdout.write(${JSON.stringify(`${JSON.stringify(metric)}\n`)}); };`,
    );
    await writeFile(join(folder, 'printing.yaml'), TEMPLATE.replace('index.handler', 'printing.handler'));
    const env = { OPENRAY_PORT: new URL(server.url).port };
    const { stderr } = await runOpenray(['invoke', 'Orders', '-t', 'printing.yaml'], { cwd: folder, env });
    const [, traceId = ''] = /XRAY TraceId: (\S+)/.exec(stderr) ?? [];
    const [, requestId = ''] = /REPORT RequestId: (\S+)/.exec(stderr) ?? [];

    const ofTrace = await runOpenray(['logs', '--trace-id', traceId, '--output', 'json'], { env });
    const events = ofTrace.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as WireLogEvent);
    expect(events.map(({ Source }) => Source)).toEqual([
      ...['platform', 'platform', 'function', 'function', 'platform', 'platform'],
    ]);
    expect(events[1]).toMatchObject({ FunctionName: 'Orders', RequestId: requestId, TraceId: traceId });
    expect(events[2]).toMatchObject({ Level: 'ERROR', Text: expect.stringContaining('careful\nnow') });
    expect(events[3]?.Metrics).toEqual([
      { Namespace: 'Shop', Name: 'Orders', Unit: 'Count', Values: [2], Dimensions: { service: 'orders' } },
    ]);

    const text = await runOpenray(['logs', 'Orders', '--request-id', requestId, '--filter', 'CloudWatch'], { env });
    expect(text.stdout).toMatch(
      /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32} \S+ METRIC Shop Orders 2 Count service=orders\n$/,
    );

    // Segments are sent over UDP, so that they may be stored after the command has ended.
    const both = await eventually(async () => {
      const flags = ['-n', 'Orders', '--stack-name', 'shop', '--request-id', requestId, '--include-traces'];
      const printed = await runOpenray(['logs', ...flags], { env });
      const report = `REPORT RequestId: ${requestId}[\\s\\S]*\\nXRay Event .* with id \\(${traceId}\\)`;
      expect(printed.stdout).toMatch(new RegExp(report));
      return printed;
    });
    expect(both.stderr).toBe('openray: --stack-name: openray ignores this option of SAM\n');

    await eventually(async () => {
      const traces = await runOpenray(['traces', '--filter', `service("Orders")`], { env });
      expect(traces.stdout).toMatch(
        new RegExp(
          `XRay Event \\[revision \\d\\] at \\(\\S+\\) with id \\(${traceId}\\) and duration \\([\\d.]+s\\)\n - [\\d.]+s - Orders \\[HTTP: 200\\]\n {3}- [\\d.]+s - Orders\n {5}- [\\d.]+s - Initialization\n`,
        ),
      );
      const graph = await runOpenray(['graph', '--start-time', '5m'], { env });
      expect(graph.stdout).toMatch(/ {2}Reference Id: \d - \(Root\) AWS::Lambda - Orders - Edges: \[\d\]\n/);
    });
  });

  test('is printed by openray tail at once, with its trace', async () => {
    const env = { OPENRAY_PORT: new URL(server.url).port };
    const child = spawn(process.execPath, [PROGRAM, 'tail'], {
      env: cleanEnvironment(env),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (bytes: Buffer) => {
      printed += bytes.toString();
    });
    await waitFor('a log line and a trace', async () => {
      if (printed.includes('careful') && printed.includes('XRay Event')) return true;
      await runOpenray(['invoke', 'Orders', '-t', 'printing.yaml'], { cwd: folder, env });
      return undefined;
    });
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null];
    expect([0, null]).toContain(code);
  });
});

describe('the commands of SAM', () => {
  test('openray local start-lambda serves the Invoke API, and traces go to the running server', async () => {
    const endpoint = await start('local', 'start-lambda', '--port', '0', '--warm-containers', 'EAGER');
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new LambdaClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
    onTestFinished(() => client.destroy());
    const answer = await client.send(
      new InvokeCommand({ FunctionName: 'Orders', Payload: '{"id":7}', LogType: 'Tail' }),
    );
    expect(JSON.parse(Buffer.from(answer.Payload ?? []).toString())).toEqual({ statusCode: 200, body: '{"id":7}' });
    const log = Buffer.from(answer.LogResult ?? '', 'base64').toString();
    await eventually(async () => {
      const trace = await waitForTrace(server.url, /XRAY TraceId: (\S+)/.exec(log)?.[1] ?? '');
      expect(trace).toHaveSegment('Orders', { origin: 'AWS::Lambda::Function' });
    });
  });

  test('openray start-api serves the API, whose stage is in the trace before the function', async () => {
    const url = await start('start-api', '-p', '0');
    const answer = await fetch(`${url}/orders/42?verbose=1`);
    expect([answer.status, await answer.json()]).toEqual([200, { id: '42' }]);
    await eventually(async () => {
      const trace = await waitForTrace(server.url, 'http.url ENDSWITH "/Prod/orders/42?verbose=1"');
      expect(trace).toHaveSegment('ServerlessRestApi/Prod', { origin: 'AWS::ApiGateway::Stage', status: 200 });
      expect(trace).toCall('ServerlessRestApi/Prod', 'Orders');
    });
    expect((await fetch(`${url}/nothing`)).status).toBe(403);
    const code = `exports.handler = async () => ({ statusCode: 418, body: 'changed' });`;
    await writeFile(join(folder, 'index.js'), code);
    await waitFor('the new code', async () => (await fetch(`${url}/orders/1`)).status === 418 || undefined);
  });
});

test('a handler in an endless loop ends when its server is killed', async () => {
  const own = await temporaryFolder();
  const node = "require('fs').writeFileSync('node.pid', String(process.pid)); for (;;);";
  const python = "    open('python.pid', 'w').write(str(os.getpid()))\n    while True: pass";
  await writeFile(join(own, 'looping.js'), `exports.handler = () => { ${node} };`);
  await writeFile(join(own, 'looping.py'), `import os\ndef handler(event, context):\n${python}\n`);
  const properties = 'CodeUri: ., Handler: looping.handler, Timeout: 900';
  const resources = ['nodejs20.x', 'python3.11'].map(
    (runtime, i) => `  Loop${i}: {Type: AWS::Serverless::Function, Properties: {${properties}, Runtime: ${runtime}}}\n`,
  );
  await writeFile(join(own, 'template.yaml'), `Resources:\n${resources.join('')}`);
  const victim = await startTestServer(['--template', join(own, 'template.yaml')]);
  onTestFinished(async () => {
    await victim.kill();
    await removeFolder(victim.dataDir);
    await removeFolder(own);
  });
  for (const name of ['Loop0', 'Loop1']) {
    const url = `${victim.url}/2015-03-31/functions/${name}/invocations`;
    await fetch(url, { method: 'POST', headers: { 'x-amz-invocation-type': 'Event' }, body: '{}' });
  }
  for (const file of ['node.pid', 'python.pid']) {
    await waitFor(file, async () => (await pidIn(join(own, file))) !== undefined || undefined);
  }
  const pids = await Promise.all(['node.pid', 'python.pid'].map((file) => pidIn(join(own, file))));
  expect(pids.map((pid) => isRunning(pid as number))).toEqual([true, true]);
  await victim.kill();
  await waitFor('both to end', () => !pids.some((pid) => isRunning(pid as number)) || undefined);
});

async function pidIn(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text === '' ? undefined : Number(text);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('access of functions to AWS', () => {
  let dir: string;

  beforeAll(async () => {
    dir = await temporaryFolder();
    await writeFile(
      join(dir, 'template.yaml'),
      'Resources: {Env: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: index.handler, Runtime: nodejs20.x, Environment: {Variables: {DECLARED: a}}}}}',
    );
    await writeFile(
      join(dir, 'index.js'),
      `exports.handler = async (event) => {
        if (event.fails) throw Object.assign(new Error('The security token included in the request is invalid.'), { name: 'UnrecognizedClientException' });
        return process.env;
      };`,
    );
    await writeFile(join(dir, 'variables.json'), '{"Parameters": {"DECLARED": "b", "UNDECLARED": "c"}}');
  });
  afterAll(() => removeFolder(dir));

  const invokeWith = (event: object, ...flags: readonly string[]) =>
    runOpenray(['invoke', 'Env', '--event', JSON.stringify(event), ...flags], {
      cwd: dir,
      env: {
        OPENRAY_PORT: new URL(server.url).port,
        OPENRAY_DATA_DIR: join(dir, 'data'),
        HOME: dir,
        AWS_ACCESS_KEY_ID: 'AKIACALLER',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_REGION: 'eu-west-1',
        AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9000',
      },
    });

  test.each([
    [[], { AWS_ACCESS_KEY_ID: 'AKIACALLER', AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9000' }],
    [['--aws', 'none'], { AWS_ACCESS_KEY_ID: 'openray', AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL_S3: undefined }],
    [
      ['--aws-endpoint', 'http://127.0.0.1:5000'],
      { AWS_ACCESS_KEY_ID: 'openray', AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'http://127.0.0.1:5000' },
    ],
    [['--profile', 'work'], { AWS_ACCESS_KEY_ID: undefined, AWS_PROFILE: 'work', AWS_REGION: 'eu-west-1' }],
    [['--region', 'eu-north-1'], { AWS_REGION: 'eu-north-1', DECLARED: 'a', UNDECLARED: undefined }],
    [['--env-vars', 'variables.json'], { DECLARED: 'b', UNDECLARED: 'c' }],
  ])('with %j', async (flags, expected) => {
    const { stdout, stderr } = await invokeWith({}, ...flags);
    const variables = JSON.parse(stdout);
    for (const [name, value] of Object.entries(expected)) expect(variables[name], `${name}\n${stderr}`).toBe(value);
    expect(stderr).not.toContain('Hint:');
  });

  test.each([
    [[], 'sign in again'],
    [['--aws', 'none'], '--aws passthrough passes them on'],
  ])('with %j, the output of a refused call ends with one hint', async (flags, part) => {
    const { stderr } = await invokeWith({ fails: true }, ...flags);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(new RegExp(`^Hint: a call of Env to AWS .*${part}`));
    expect(stderr.match(/Hint:/g)).toHaveLength(1);
  });
});
