import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { cleanEnvironment, runOpenray } from '../scripts/openray.ts';
import { removeFolder, startTestServer, type TestServer, temporaryFolder } from './support/server.ts';
import { waitFor } from './support/wait.ts';

const PROGRAM = fileURLToPath(new URL('../server/bin/openray.cjs', import.meta.url));
const TLS = fileURLToPath(new URL('../fixtures/tls/', import.meta.url));

/** The template whose function returns its event. */
const echoTemplate = () =>
  TEMPLATE.replace('return { statusCode: 200 }', 'return event').replace('async ()', 'async (event)');

/** Of the Node that runs the tests: another one would print a warning. */
const RUNTIME = `nodejs${process.versions.node.split('.')[0]}.x`;
const TEMPLATE = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: 'exports.handler = async () => { console.log("a line of the function"); return { statusCode: 200 }; }'
      Handler: index.handler
      Runtime: ${RUNTIME}
      Timeout: 60
      Events: {Get: {Type: Api, Properties: {Path: /api, Method: get}}}
`;

let folder: string;
let server: TestServer;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder, 'template.yaml'), TEMPLATE);
  await mkdir(join(folder, 'public'));
  await writeFile(join(folder, 'public', 'index.html'), '<p>a page');
  server = await startTestServer();
  env = { OPENRAY_PORT: new URL(server.url).port, OPENRAY_DATA_DIR: join(folder, 'data') };
});

afterAll(async () => {
  await server.stop();
  await removeFolder(server.dataDir);
  await removeFolder(folder);
});

test("SAM's flags that have no effect are named once, others are not", async () => {
  const flags = ['-v', '/src', '--docker-network', 'host', '--skip-pull-image'];
  const { stderr, exitCode } = await runOpenray(['local', 'invoke', ...flags], { cwd: folder, env });
  expect(exitCode).toBe(0);
  expect(stderr.match(/^openray: .*$/gm)).toEqual([
    'openray: --docker-network, --docker-volume-basedir, --skip-pull-image: openray ignores these options of SAM',
  ]);
  const plain = await runOpenray(['local', 'invoke'], { cwd: folder, env });
  expect(plain.stderr).not.toContain('openray:');
});

test('invoke prints the warnings of its function, and none about other functions or about events', async () => {
  const layer = (name: string) => `Layers: ['arn:aws:lambda:eu-west-1:123456789012:layer:${name}:1']`;
  const other = `
  Other:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: 'x'
      Handler: index.handler
      Runtime: ${RUNTIME}
      ${layer('Theirs')}
      Environment: {Variables: {Table: !ImportValue table}}
      Events: {Stream: {Type: Kinesis}}
  Flow: {Type: AWS::Serverless::StateMachine}
`;
  const mine = TEMPLATE.replace('Events:', `${layer('Mine')}\n      Events:`);
  await writeFile(join(folder, 'layers.yaml'), `${mine}${other}`);
  const { stderr } = await runOpenray(['invoke', 'Fn', '-t', 'layers.yaml'], { cwd: folder, env });
  expect(stderr).toContain('openray: Fn: the layer arn:aws:lambda:eu-west-1:123456789012:layer:Mine:1');
  expect(stderr).not.toMatch(/Other|Theirs|Kinesis|Flow|table/);
});

test('--log-file receives the output of the function, and the result stays on stdout', async () => {
  const invoke = () => runOpenray(['invoke', '-l', 'function.log'], { cwd: folder, env });
  const { stdout, stderr } = await invoke();
  expect(stdout).toContain('"statusCode":200');
  expect(stderr).not.toContain('a line of the function');
  await invoke();
  expect((await readFile(join(folder, 'function.log'), 'utf8')).match(/a line of the function/g)).toHaveLength(2);
  const wrong = await runOpenray(['invoke', '--log-file', 'no/such/folder.log'], { cwd: folder, env });
  expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('--log-file no/such/folder.log cannot')]);
});

test('start-api serves files beside the template, over HTTPS', async () => {
  const tls = ['--ssl-cert-file', join(TLS, 'cert.pem'), '--ssl-key-file', join(TLS, 'key.pem')];
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, 'start-api', '-p', '0', ...tls], {
    cwd: folder,
    env: cleanEnvironment(env),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  });
  let printed = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    printed += bytes.toString();
  });
  const url = await waitFor('the URL', () => /https:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0]);
  const ca = await readFile(join(TLS, 'cert.pem'));
  const read = (path: string) =>
    new Promise<string>((resolve, reject) => {
      get(url + path, { ca }, (response) => {
        let text = '';
        response.on('data', (bytes: Buffer) => {
          text += bytes.toString();
        });
        response.on('end', () => resolve(`${response.statusCode} ${text}`));
      }).on('error', reject);
    });
  expect(await read('/')).toBe('200 <p>a page');
  expect(await read('/api')).toBe('200 ');
  expect(await read('/missing')).toContain('Missing Authentication Token');
});

test.each([
  [['--static-dir', 'nowhere'], '--static-dir nowhere: there is no folder'],
  [['--ssl-cert-file', 'cert.pem'], '--ssl-cert-file and --ssl-key-file need each other'],
  [['--ssl-cert-file', 'no.pem', '--ssl-key-file', 'no.pem'], '--ssl-cert-file no.pem cannot be read'],
])('start-api %j says what is wrong', async (flags, sentence) => {
  const { exitCode, stderr } = await runOpenray(['start-api', '-p', '0', ...flags], { cwd: folder, env });
  expect(exitCode).toBe(2);
  expect(stderr).toContain(sentence);
});

test('openray validate prints a report, as text or JSON, and fails only for a template that cannot be read', async () => {
  const text = await runOpenray(['validate'], { cwd: folder, env });
  expect(text.stdout).toContain(
    `Functions\n  Fn (${RUNTIME}) runs\n\nRoutes, with openray start-api\n  GET /api → Fn\n`,
  );
  const json = await runOpenray(['validate', '--template-file', 'template.yaml', '-o', 'json'], { cwd: folder, env });
  expect(JSON.parse(json.stdout)).toMatchObject({ functions: [{ logicalId: 'Fn' }], notRun: [], warnings: [] });
  const wrong = await runOpenray(['validate', '-t', 'none.yaml'], { cwd: folder, env });
  expect([wrong.exitCode, wrong.stderr]).toEqual([
    78,
    expect.stringMatching(/^openray: there is no template .*none\.yaml; name one/),
  ]);
});

test('--save-params saves the flags for the next start', async () => {
  const own = join(folder, 'saved');
  await mkdir(own);
  await writeFile(join(own, 'event.json'), '{"saved":1}');
  await writeFile(join(own, 'other.yaml'), echoTemplate());
  const flags = ['-t', 'other.yaml', '-e', 'event.json', '--save-params'];
  const { stderr } = await runOpenray(['local', 'invoke', ...flags], { cwd: own, env });
  expect(stderr).toContain('openray: --template, --event saved to samconfig.toml\n');
  const { stdout } = await runOpenray(['local', 'invoke'], { cwd: own, env });
  expect(stdout).toContain('{"saved":1}');
});

test('an event of generate-event reaches a function through a pipe', async () => {
  await writeFile(join(folder, 'echo.yaml'), echoTemplate());
  const generate = ['local', 'generate-event', 's3', 'put', '--bucket', 'photos', '--key', 'cat.jpg'];
  const { stdout: stdin } = await runOpenray(generate, { cwd: folder, env });
  const { stdout } = await runOpenray(['local', 'invoke', '-t', 'echo.yaml', '-e', '-'], { cwd: folder, env, stdin });
  expect(JSON.parse(stdout.split('\n', 1)[0] ?? '')).toMatchObject({
    Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'photos' }, object: { key: 'cat.jpg' } } }],
  });
});
