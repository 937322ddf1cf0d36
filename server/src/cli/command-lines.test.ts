import { expect, onTestFinished, test, vi } from 'vitest';
import { main } from './main.ts';

/** Runs a command line in this process. */
async function run(...argv: readonly string[]) {
  const written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    const spy = vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += String(text);
      return true;
    });
    onTestFinished(() => spy.mockRestore());
  }
  const exitCode = await main(argv);
  vi.restoreAllMocks();
  return { ...written, exitCode };
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
];

test.each(REFUSED)('openray %s is refused', async (line, exitCode, stderr) => {
  expect(await run(...line.split(' '))).toEqual({ exitCode, stdout: '', stderr: expect.stringContaining(stderr) });
});

test('generate-event prints the event alone on stdout', async () => {
  const { stdout, stderr, exitCode } = await run('local', 'generate-event', 's3', 'put', '--key', 'a b/ü.jpg');
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toMatchObject({ Records: [{ s3: { object: { key: 'a+b/%C3%BC.jpg' } } }] });
});

test.each([
  ['generate-event --help', /^ {2}sqs +receive-message$/m],
  ['generate-event kinesis --help', /^ {2}get-records +a record of a data stream$/m],
  ['generate-event sns notification --help', /^ {2}--topic <text> +\(default: "ExampleTopic"\)$/m],
])('openray %s lists what can follow', async (line, pattern) => {
  expect(await run(...line.split(' '))).toMatchObject({
    exitCode: 0,
    stderr: '',
    stdout: expect.stringMatching(pattern),
  });
});
