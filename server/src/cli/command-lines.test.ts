import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { main } from './main.ts';

const TEMPLATE = `
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: nodejs22.x
      CodeUri: code
      Layers: ['arn:aws:lambda:us-east-1:123456789012:layer:Shared:1']
  Lost: {Type: AWS::Serverless::Function, Properties: {Handler: lost.handler, Runtime: nodejs22.x, CodeUri: code}}
`;

let folder: string;
/** Says that it is openray, and answers each invocation with `null`, without a trace. */
let server: Server;
let port: number;

beforeAll(async () => {
  server = createServer((request, response) => {
    response.setHeader('x-amz-log-result', Buffer.from('START RequestId: 1\n').toString('base64'));
    response.setHeader('x-amzn-trace-id', 'Root=1-69691040-3c4d5e6f708192a3b4c5d6e7;Sampled=0');
    response.end(request.url === '/health' ? '{"version":"1"}' : 'null');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
  folder = mkdtempSync(join(tmpdir(), 'openray-cli-'));
  for (const name of ['code', 'extra']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'code', 'app.js'), '');
  writeFileSync(join(folder, 'template.yaml'), TEMPLATE);
  writeFileSync(join(folder, 'config'), '[default]\nregion = eu-west-1\n[profile dev]\nregion = eu-west-1\n');
  writeFileSync(join(folder, 'credentials'), '[staging]\naws_access_key_id = a\naws_secret_access_key = b\n');
  writeFileSync(join(folder, 'variables.json'), '{"Parameters":{},"Fn":{},"Fnn":{"A":"1"},"TABLE":"t"}');
  writeFileSync(join(folder, 'samconfig.toml'), '[dev.local_invoke.parameters]\n');
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** Runs a command line in this process, with the test's folder for `FOLDER` and the test's server for `URL` and `PORT`. */
async function run(line: string) {
  const written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    const spy = vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    });
    onTestFinished(() => spy.mockRestore());
  }
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'));
  const url = `http://127.0.0.1:${port}`;
  const filled = (part: string) => part.replace('FOLDER', folder).replace('URL', url).replace('PORT', String(port));
  const exitCode = await main(line.split(' ').map(filled));
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  const shown = (text: string) => text.replaceAll(folder, 'FOLDER').replaceAll(url, 'URL');
  return { stdout: shown(written.stdout), stderr: shown(written.stderr), exitCode };
}

/** A command line that ends before a function runs. */
const INVOKE = 'invoke -t FOLDER/template.yaml --data-dir FOLDER/data --port PORT';

const REFUSED: readonly (readonly [line: string, exitCode: number, stderr: string])[] = [
  ['generate-event s4 put --bucket b', 2, 'openray: there is no service with the name s4. Do you mean s3? The names'],
  [
    'generate-event nothing-like-it',
    2,
    'openray: there is no service with the name nothing-like-it. The names are alb,',
  ],
  [
    'local generate-event s3 pot',
    2,
    'there is no event of s3 with the name pot. Do you mean put? The names are put, delete',
  ],
  ['generate-event s3 put --buket b', 64, "error: unknown option '--buket'\n(Did you mean --bucket?)"],
  ['generate-event s3 put --bucket', 64, "error: option '--bucket <text>' argument missing"],
  ['generate-event eventbridge put-events --detail x', 2, 'openray: --detail x is not JSON'],
  ['generate-event', 2, 'Usage: openray generate-event SERVICE EVENT'],
  ['generate-event sns', 2, 'Usage: openray generate-event sns EVENT'],
  ['validate -t FOLDER/nope.yaml', 78, 'openray: there is no template FOLDER/nope.yaml; name one with --template'],
  ['validate -t FOLDER', 78, 'openray: FOLDER is a folder, not a template; name one with --template'],
  ['validate -t FOLDER/template.yaml --layer Shared', 2, 'openray: --layer Shared: write it as ARN-or-name=FOLDER'],
  ['validate -t FOLDER/template.yaml --data-dir x', 64, "error: unknown option '--data-dir'"],
  [`${INVOKE} Fm`, 66, 'openray: the template has no function Fm; it has Fn, Lost'],
  [`local ${INVOKE} Lots`, 66, 'openray: the template has no function Lots; it has Lost, Fn'],
  [INVOKE, 2, "openray: name one of the template's functions: Fn, Lost"],
  [`${INVOKE} Fn --event=`, 2, 'openray: --event is empty: give a file, - for stdin, or JSON'],
  [`${INVOKE} Fn --event-file=`, 2, 'openray: --event-file is empty'],
  [`${INVOKE} Fn -e nope.json`, 2, 'openray: --event: there is no file nope.json, and it is not JSON'],
  ['invoke -t FOLDER/nope.yaml --port PORT', 78, 'openray: there is no template FOLDER/nope.yaml; name one with'],
  ...['invoke Fn', 'logs', 'traces', 'graph', 'tail', 'export', 'import file', 'backup', 'assert file'].map(
    (command) =>
      [`${command} --endpoint-url nowhere`, 2, 'openray: --endpoint-url nowhere is not an http or https URL'] as const,
  ),
  [`${INVOKE} Fn --parameter LogType=All`, 2, 'openray: LogType is one of Tail, None'],
  [
    `${INVOKE} Fn --parameter InvocationType=Sync`,
    2,
    'openray: InvocationType is one of RequestResponse, Event, DryRun',
  ],
  [
    `${INVOKE} Fn --parameter Tenant=a`,
    2,
    'openray: --parameter Tenant: give InvocationType, Qualifier, ClientContext or',
  ],
  ['invoke --endpoint-url URL', 2, 'openray: name the function to invoke'],
  ['logs --data-dir x', 64, "error: unknown option '--data-dir'"],
];

test.each(REFUSED)('openray %s is refused', async (line, exitCode, stderr) => {
  expect(await run(line)).toEqual({ exitCode, stdout: '', stderr: expect.stringContaining(stderr) });
});

const PROFILE_FILES = 'FOLDER/config and FOLDER/credentials';

test.each([
  ['--profile ghost', `--profile ghost: there is no such profile in ${PROFILE_FILES}; functions get no credentials`],
  ['--profile dev', undefined],
  ['--profile staging', undefined],
  [
    '--profile dev --aws-endpoint http://127.0.0.1:1',
    '--profile dev has no effect with --aws-endpoint; functions get its credentials with --aws passthrough',
  ],
  ['--profile dev --aws-endpoint http://127.0.0.1:1 --aws passthrough', undefined],
  [
    '--profile dev --aws none',
    '--profile dev has no effect with --aws none; functions get its credentials with --aws passthrough',
  ],
  ['--layer Other=FOLDER/extra', '--layer Other=FOLDER/extra has no effect: no function has a layer Other.'],
  ['--layer Shared=FOLDER/extra', undefined],
  ['--debug-args -x --debug-function Fn', '--debug-args, --debug-function: no effect without --debug-port'],
  [
    '--debug-port 5858 --debug-function Fnn',
    '--debug-function Fnn has no effect: the template has no function with this logical id.',
  ],
  ['--debug-port 5858 --debug-function Fn', undefined],
  ['--config-env prod', '--config-env prod has no effect: there is no samconfig file here'],
  [
    '--config-file FOLDER/samconfig.toml --config-env prod',
    '--config-env prod has no effect: FOLDER/samconfig.toml has no such section',
  ],
  ['--config-file FOLDER/samconfig.toml --config-env dev', undefined],
  [
    '--env-vars FOLDER/variables.json',
    '--env-vars FOLDER/variables.json: the template has no function Fnn, TABLE; variables for all functions belong in "Parameters".',
  ],
  ['--skip-pull-image', '--skip-pull-image: openray ignores this option of SAM'],
  ['--beta-features', '--beta-features: openray ignores this option of SAM'],
  ['--no-beta-features', '--no-beta-features: openray ignores this option of SAM'],
  [
    '--hook-name terraform --durable-execution-name a --no-memory-limit',
    '--hook-name, --durable-execution-name, --no-memory-limit: openray ignores these options of SAM',
  ],
])('invoke names a flag without an effect once: %s', async (flags, sentence) => {
  const { stderr } = await run(`${INVOKE} Nope ${flags}`);
  const lines = stderr.split('\n').filter((line) => line.startsWith('openray: ') && !line.includes('no function Nope'));
  expect(lines).toEqual(sentence === undefined ? [] : [`openray: ${sentence}`]);
});

test('invoke --endpoint-url names the flags that the server does not see, and says why there is no trace', async () => {
  const flags = '-e {} -o text --tracing active -l function.log --layer A=FOLDER/extra --watch';
  const { exitCode, stdout, stderr } = await run(`remote invoke Fn --endpoint-url URL ${flags}`);
  expect([exitCode, stdout]).toEqual([0, 'null']);
  expect(stderr.split('\n').filter((line) => line !== '')).toEqual([
    'openray: --watch, --log-file, --layer, --tracing: no effect with --endpoint-url, since the function runs in that server',
    'START RequestId: 1',
    'No trace: the server at URL left this invocation out. Start it with --tracing active and --lambda-sampling all, which trace every invocation.',
  ]);
});

test('--parameter LogType=None leaves out the log', async () => {
  const line = 'invoke Fn --endpoint-url URL';
  expect((await run(line)).stderr).toContain('START');
  expect((await run(`${line} --parameter LogType=None`)).stderr).not.toContain('START');
});

test('--save-params saves all given flags, names them, and the next call has them', async () => {
  const file = '--config-file FOLDER/saved.toml';
  const flags =
    '--tracing active --layer Other=FOLDER/extra --profile ghost --store-url http://127.0.0.1:1/o --no-event';
  const first = await run(`${INVOKE} Nope ${flags} ${file} --save-params`);
  const names = '--template, --data-dir, --port, --tracing, --layer, --profile, --no-event';
  expect(first.stderr).toContain(`openray: ${names} saved to FOLDER/saved.toml; not saved: --store-url\n`);
  const second = await run(`invoke Nope ${file}`);
  expect(second.stderr).toContain('--layer Other=FOLDER/extra has no effect');
  expect(second.stderr).toContain('--profile ghost: there is no such profile');
  expect(second).toMatchObject({ exitCode: 66, stderr: expect.stringContaining('the template has no function Nope') });
  const nothing = await run(`invoke Nope ${file} --save-params`);
  expect(nothing.stderr).toContain('openray: --save-params: there is no flag to save\n');
});

test('generate-event prints the event alone on stdout', async () => {
  const { stdout, stderr, exitCode } = await run('local generate-event s3 put --key a+b/ü.jpg');
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toMatchObject({ Records: [{ s3: { object: { key: 'a%2Bb/%C3%BC.jpg' } } }] });
});

test.each([
  ['generate-event --help', /^ {2}sqs +receive-message$/m],
  ['generate-event kinesis --help', /^ {2}get-records +a record of a data stream$/m],
  ['generate-event sns notification --help', /^ {2}--topic <text> +\(default: "ExampleTopic"\)$/m],
])('openray %s lists what can follow', async (line, pattern) => {
  expect(await run(line)).toMatchObject({
    exitCode: 0,
    stderr: '',
    stdout: expect.stringMatching(pattern),
  });
});

test.each([
  ['validate --help', ['--region', '--layer', '--config-file'], ['--data-dir', '--port', '--lint']],
  ['logs --help', ['--endpoint-url', '--host', '--port'], ['--data-dir', '--region', '--stack-name']],
])('openray %s shows the flags of the command', async (line, shown, hidden) => {
  const { stdout } = await run(line);
  expect(shown.filter((flag) => !stdout.includes(`${flag} `))).toEqual([]);
  expect(hidden.filter((flag) => stdout.includes(`${flag} `))).toEqual([]);
});

test('the help of openray says what each command does, each in one sentence that begins with a verb', async () => {
  const { stdout } = await run('--help');
  const commands = stdout.slice(stdout.indexOf('Commands:')).replace(/\n {20,}/g, ' ');
  expect([...commands.matchAll(/^ {2}([a-z-]+).*? {2,}(\S.*)$/gm)].map(([, name, text]) => `${name}: ${text}`)).toEqual(
    [
      'serve: start the server: daemon, X-Ray API, console, and the functions of the template',
      'invoke: run a function of the template once',
      "start-lambda: serve the Invoke API for the template's functions",
      "start-api: serve the template's APIs and function URLs",
      'validate: list the parts of a template that openray runs, and those that it does not run',
      'generate-event: print a sample of an event that an AWS service sends to a function',
      'traces: print traces',
      'graph: print the service graph',
      'logs: print logs of functions',
      'tail: print logs and traces as they arrive',
      'assert: check traces against a file of expectations',
      'export: send traces to an OpenTelemetry backend, or write them to a file',
      'import: store the traces of files: each line is an OTLP/JSON message or an X-Ray document',
      'backup: back up the store, also while a server runs',
      'restore: restore a backup into a new data directory or a new database of --store-url',
      'repair: list the damaged parts of the store, and detach parts on request',
      'config: print every setting with its value and the source of the value',
      "runtime: install packages that Lambda's runtimes contain",
      'help: display help for command',
    ],
  );
});

const COMMANDS = [
  ...[
    'serve',
    'invoke',
    'start-lambda',
    'start-api',
    'validate',
    'traces',
    'graph',
    'logs',
    'tail',
    'assert',
    'export',
  ],
  ...['import', 'backup', 'restore', 'repair', 'config', 'runtime', 'runtime install', 'generate-event s3'],
];

test.each(COMMANDS)('the help of openray %s describes every option by itself', async (line) => {
  const { stdout } = await run(`${line} --help`);
  const options = [...stdout.replace(/\n {20,}/g, ' ').matchAll(/^ {2}(-.*?)(?: {2,}(\S.*))?$/gm)];
  expect(options.length).toBeGreaterThan(0);
  const unclear = options.filter(([, , text = '']) => text.trim() === '' || /\b(another|here|it|them)\b/.test(text));
  expect(unclear.map(([, flag, text]) => `${flag}: ${text}`)).toEqual([]);
});

test('validate reports code that is missing, warnings of each function, and flags without an effect', async () => {
  const { stdout, stderr, exitCode } = await run('validate -t FOLDER/template.yaml --lint --layer Other=FOLDER/extra');
  expect([exitCode, stderr]).toEqual([0, 'openray: --lint: openray ignores this option of SAM\n']);
  expect(stdout).toMatchInlineSnapshot(`
    "FOLDER/template.yaml

    Functions
      Fn (nodejs22.x) runs
      Lost does not run: its Handler is lost.handler, but FOLDER/code has no lost.js

    Warnings
      Fn: the layer arn:aws:lambda:us-east-1:123456789012:layer:Shared:1 is not in this template, and the function runs without it. --layer Shared=FOLDER names its folder.
      --layer Other=FOLDER/extra has no effect: no function has a layer Other.
    "
  `);
  const withLayer = await run('validate -t FOLDER/template.yaml --layer Shared=FOLDER/extra');
  expect(withLayer.stdout).not.toContain('Warnings');
});
