import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readTemplate } from '../template/template.ts';
import { ACCOUNT, openLocalLambda, REGION, resultOf } from '../testing/local-lambda.ts';
import { isRunning } from '../testing/processes.ts';

const FUNCTION = 'Type: AWS::Serverless::Function, Properties: {CodeUri: app, Timeout: 20, Runtime: nodejs20.x';
const template = (name: string) => `Resources: {F: {${FUNCTION}, Handler: ${name}.handler}}}`;

async function open(files: Readonly<Record<string, string>>) {
  let file = '';
  const reloadTemplate = () => readTemplate(file, { parameters: {}, region: REGION, accountId: ACCOUNT });
  const local = await openLocalLambda(files, { hotReload: true, reloadTemplate });
  onTestFinished(local.close);
  file = join(local.dir, 'template.yaml');
  const write = (name: string, text: string) => writeFile(join(local.dir, name), text);
  const expectResult = (value: unknown) => expect.poll(async () => resultOf(await local.invoke('F'))).toEqual(value);
  return { ...local, write, expectResult };
}

describe('a function whose', () => {
  test('code changes runs the new code, and stays warm while it does not change', async () => {
    const { write, expectResult, logEvents } = await open({
      'template.yaml': template('a'),
      'app/a.js': `exports.handler = async () => 1;`,
    });
    await expectResult(1);
    await expectResult(1);
    await write('app/a.js', `exports.handler = async () => 'two';`);
    await expectResult('two');
    expect(logEvents.filter(({ text }) => text.startsWith('INIT_START'))).toHaveLength(2);
  });

  test('imported TypeScript changes is bundled again; a compile error is reported until it is repaired', async () => {
    const { write, expectResult, invoke } = await open({
      'template.yaml': template('a'),
      'app/a.ts': `import { answer } from '../lib/answer.ts'; export const handler = async () => answer;`,
      'lib/answer.ts': 'export const answer: number = 1;',
    });
    await expectResult(1);
    await write('lib/answer.ts', 'export const answer: string = "two";');
    await expectResult('two');
    await write('lib/answer.ts', 'export const = ;');
    const failure = () => invoke('F').then(() => undefined, String);
    await expect.poll(failure).toContain('F cannot be bundled');
    await write('lib/answer.ts', 'export const answer = [3];');
    await expectResult([3]);
  });

  test('template changes is opened again; an unreadable template leaves the previous one in use', async () => {
    const { write, expectResult, invoke, lambda, warnings, dir } = await open({
      'template.yaml': template('a'),
      'app/a.js': `exports.handler = async () => 'a';`,
      'app/b.js': `exports.handler = async () => process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE;`,
    });
    await expectResult('a');
    await write('template.yaml', template('b').replace('Timeout: 20', 'Timeout: 20, MemorySize: 512'));
    await expectResult('512');
    expect(lambda.list().map(({ spec }) => spec.memoryMb)).toEqual([512]);
    await write('template.yaml', 'Resources: {');
    await expect
      .poll(async () => [resultOf(await invoke('F')), warnings.at(-1)])
      .toEqual([
        '512',
        expect.stringMatching(/^The template has changed and cannot be read; the previous one stays in use\. /),
      ]);
    await rm(join(dir, 'template.yaml'));
    await expectResult('512');
  });

  test('code changes while it runs finishes with the old code', async () => {
    const { write, invoke, expectResult, logEvents } = await open({
      'template.yaml': template('a'),
      'app/a.js': `
        const { existsSync } = require('node:fs');
        exports.handler = async ({ until }) => {
          while (until && !existsSync(__dirname + '/' + until)) await new Promise(setImmediate);
          return 'old';
        };`,
    });
    await expectResult('old');
    const starts = () => logEvents.filter(({ text }) => text.startsWith('START ')).length;
    const before = starts();
    const running = invoke('F', { until: 'go' });
    await expect.poll(starts).toBe(before + 1);
    await write('app/a.js', `exports.handler = async () => 'new';`);
    await expectResult('new');
    await write('app/go', '');
    expect(resultOf(await running)).toBe('old');
  });
});

describe('a template that changes', () => {
  const WITH_MORE_MEMORY = template('a').replace('Timeout: 20', 'Timeout: 20, MemorySize: 512');
  const memory = 'process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE';

  test('during a build lets the invocation run that waits for the build', async () => {
    const { write, invoke, dir, lambda } = await open({
      'template.yaml': template('a').replace('F: {', 'F: {Metadata: {BuildMethod: makefile}, '),
      'app/a.js': `exports.handler = async () => ${memory};`,
      // The build ends when the test writes into the pipe.
      'app/Makefile': 'build-F:\n\tmkfifo ../pipe\n\ttouch ../started\n\tcat ../pipe\n\tcp a.js $(ARTIFACTS_DIR)\n',
    });
    const first = invoke('F');
    await expect.poll(() => existsSync(join(dir, 'started'))).toBe(true);
    await write('template.yaml', WITH_MORE_MEMORY);
    await expect.poll(() => lambda.list().map(({ spec }) => spec.memoryMb)).toEqual([512]);
    await write('pipe', 'go');
    expect(resultOf(await first)).toBe('128');
    expect(resultOf(await invoke('F'))).toBe('512');
  });

  test('between two attempts at an event gives the retry its new function', async () => {
    const { write, invoke, lambda, logEvents } = await open({
      'template.yaml': template('a'),
      'app/a.js': `
        const { existsSync } = require('node:fs');
        exports.handler = async () => {
          console.log('GOT ' + ${memory});
          while (!existsSync(__dirname + '/go')) await new Promise(setImmediate);
          if (${memory} === '128') throw new Error('too little memory');
        };`,
    });
    const got = () => logEvents.flatMap(({ text }) => /GOT (\d+)/.exec(text)?.[1] ?? []);
    await invoke('F', {}, { invocationType: 'Event' });
    await expect.poll(got).toEqual(['128']);
    await write('template.yaml', WITH_MORE_MEMORY);
    await expect.poll(() => lambda.list().map(({ spec }) => spec.memoryMb)).toEqual([512]);
    await write('app/go', '');
    await lambda.whenIdle();
    expect(got()).toEqual(['128', '512']);
  });

  test('during an invocation leaves no process when the service closes', async () => {
    const { write, invoke, lambda, logEvents } = await open({
      'template.yaml': template('a').replace('Timeout: 20', 'Timeout: 900'),
      'app/a.js': `exports.handler = () => { console.log('PID ' + process.pid); return new Promise(() => {}); };`,
    });
    const ended = invoke('F').catch(() => {});
    const pid = () => Number(logEvents.flatMap(({ text }) => /PID (\d+)/.exec(text)?.[1] ?? [])[0] ?? 0);
    await expect.poll(pid).toBeGreaterThan(0);
    await write('template.yaml', WITH_MORE_MEMORY);
    await expect.poll(() => lambda.list().map(({ spec }) => spec.memoryMb)).toEqual([512]);
    await lambda.close();
    await expect.poll(() => isRunning(pid())).toBe(false);
    await ended;
  });
});

test('a template that changes replaces queues, topics and subscriptions; a queue that remains keeps its messages', async () => {
  const main = (resources: string, events = '') => `Resources:
  F: {${FUNCTION}, Handler: a.handler${events}}}
  Work: {Type: AWS::SQS::Queue}
${resources}`;
  const { write, invoke, logEvents, lambda } = await open({
    'template.yaml': main(''),
    'app/a.js': `exports.handler = async (event) => { console.log('GOT ' + event.Records?.[0].body); return process.env.AWS_ENDPOINT_URL_SQS; };`,
  });
  const endpoint = resultOf(await invoke('F')) as string;
  const call = async (operation: string, body: object) => {
    const headers = { 'x-amz-target': `AmazonSQS.${operation}`, 'content-type': 'application/x-amz-json-1.0' };
    return (await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  };
  const url = (name: string) => `${endpoint}/${ACCOUNT}/${name}`;
  await call('SendMessage', { QueueUrl: url('Work'), MessageBody: 'from before' });
  expect(await call('GetQueueUrl', { QueueName: 'More' })).toMatchObject({
    message: expect.stringContaining('not exist'),
  });

  const events = ', Events: {Q: {Type: SQS, Properties: {Queue: !GetAtt Work.Arn}}}';
  await write('template.yaml', main('  More: {Type: AWS::SQS::Queue}\n', events));
  await expect.poll(() => call('GetQueueUrl', { QueueName: 'More' })).toHaveProperty('QueueUrl');
  const got = () =>
    logEvents.flatMap(({ text }) => /GOT (.*)/.exec(text)?.[1] ?? []).filter((body) => body !== 'undefined');
  await expect.poll(got).toEqual(['from before']);

  await write('template.yaml', main('  More: {Type: AWS::SQS::Queue}\n  # changed\n'));
  const receivedUnpolled = async () => {
    expect(await call('GetQueueUrl', { QueueName: 'More' })).toHaveProperty('QueueUrl');
    await invoke('F');
    await call('SendMessage', { QueueUrl: url('Work'), MessageBody: 'not polled' });
    await lambda.whenIdle();
    return call('ReceiveMessage', { QueueUrl: url('Work') });
  };
  await expect.poll(receivedUnpolled).toMatchObject({ Messages: [{ Body: 'not polled' }] });
});

test('a function to debug waits for its debugger, without a timeout', async () => {
  const port = 20_000 + (process.pid % 20_000);
  const { invoke, close, logEvents } = await openLocalLambda(
    {
      'template.yaml': template('a').replace('Timeout: 20', 'Timeout: 1'),
      'app/a.js': 'exports.handler = async () => 1;',
    },
    { debug: { port, args: ['--stack-trace-limit=20'], functionId: undefined } },
  );
  const ended = expect(invoke('F')).resolves.toMatchObject({ functionError: 'Unhandled' });
  await expect.poll(async () => (await fetch(`http://127.0.0.1:${port}/json/list`)).json()).toHaveLength(1);
  await expect
    .poll(() => logEvents.map(({ text }) => text))
    .toContainEqual(expect.stringContaining(`Debugger listening on ws://127.0.0.1:${port}/`));
  await close();
  await ended;
});
