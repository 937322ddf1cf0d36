import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'openray-cli-'));
  for (const name of ['code', 'extra']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'code', 'app.js'), '');
  writeFileSync(join(folder, 'template.yaml'), TEMPLATE);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a command line in this process, with the test's folder for `FOLDER`. */
async function run(line: string) {
  const written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    const spy = vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    });
    onTestFinished(() => spy.mockRestore());
  }
  const exitCode = await main(line.split(' ').map((part) => part.replace('FOLDER', folder)));
  vi.restoreAllMocks();
  const { stdout, stderr } = written;
  return { stdout: stdout.replaceAll(folder, 'FOLDER'), stderr: stderr.replaceAll(folder, 'FOLDER'), exitCode };
}

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
  ['logs --data-dir x', 64, "error: unknown option '--data-dir'"],
];

test.each(REFUSED)('openray %s is refused', async (line, exitCode, stderr) => {
  expect(await run(line)).toEqual({ exitCode, stdout: '', stderr: expect.stringContaining(stderr) });
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

test('validate reports code that is missing, notes of each function, and flags without an effect', async () => {
  const { stdout, stderr, exitCode } = await run('validate -t FOLDER/template.yaml --lint --layer Other=FOLDER/extra');
  expect([exitCode, stderr]).toEqual([0, "openray: --lint: accepted for SAM's sake, without an effect here\n"]);
  expect(stdout).toMatchInlineSnapshot(`
    "FOLDER/template.yaml

    Functions
      Fn (nodejs22.x) runs
      Lost does not run: its Handler is lost.handler, but FOLDER/code has no lost.js

    Notes
      Fn: the layer arn:aws:lambda:us-east-1:123456789012:layer:Shared:1 is not in this template, and the function runs without it. --layer Shared=FOLDER names its folder.
      --layer Other=FOLDER/extra has no effect: no function has a layer Other.
    "
  `);
  const withLayer = await run('validate -t FOLDER/template.yaml --layer Shared=FOLDER/extra');
  expect(withLayer.stdout).not.toContain('Notes');
});
