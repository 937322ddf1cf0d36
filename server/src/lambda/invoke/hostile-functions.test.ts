import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { InvokeResult } from '../spec/lambda-client.ts';
import { lambdaSegments } from '../testing/daemon.ts';
import { type LocalLambda, openLocalLambda, resultOf } from '../testing/local-lambda.ts';
import { isRunning } from '../testing/processes.ts';
import { LOG_MAX_CHARS } from './invocation-log.ts';

const NODE = `{Type: AWS::Serverless::Function, Properties: {Runtime: nodejs20.x, CodeUri: app`;
const FILES = {
  'template.yaml': `
Globals: {Function: {Timeout: 60, Tracing: Active}}
Resources:
  Good: ${NODE}, Handler: good.handler}}
  Printer: ${NODE}, Handler: printer.handler}}
  Stubborn: ${NODE}, Handler: stubborn.handler, Timeout: 1}}
  Endless: ${NODE}, Handler: stubborn.handler}}
  Forker: ${NODE}, Handler: forker.handler, Timeout: 4}}
  Liar: ${NODE}, Handler: liar.handler}}
  Closer: ${NODE}, Handler: closer.handler, Timeout: 2}}
  SlowStart: ${NODE}, Handler: slow-start.handler}}
  NeverStarts: ${NODE}, Handler: never-starts.handler, Timeout: 1}}
  Flood: ${NODE}, Handler: flood.handler}}
  NoJson: ${NODE}, Handler: no-json.handler}}
  Cutter: ${NODE}, Handler: cutter.handler}}
  DiesEarly: ${NODE}, Handler: dies-early.handler}}
`,
  'app/good.js': `exports.handler = async () => 'good';`,
  'app/printer.js': `
    exports.handler = async () => {
      const line = 'x'.repeat(1023) + '\\n';
      for (let i = 0; i < 100 * 1024; i++) process.stdout.write(line);
      process.stdout.write('y'.repeat(1024 * 1024));
      return 'printed';
    };`,
  'app/stubborn.js': `
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {});
    exports.handler = () => { for (;;); };`,
  'app/forker.js': `
    const { spawn } = require('node:child_process');
    exports.handler = ({ file }) => {
      for (let i = 0; i < 5; i++) {
        const child = spawn('sh', ['-c', 'echo $$ >> ' + file + '; trap "" TERM; sleep 600'], { detached: i % 2 === 0, stdio: 'inherit' });
        child.unref();
      }
      return new Promise(() => setInterval(() => {}, 1000));
    };`,
  'app/liar.js': `
    const base = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime';
    exports.handler = async (event, context) => {
      const post = (path, body) => fetch(base + path, { method: 'POST', body }).then((answer) => answer.status);
      const own = '/invocation/' + context.awsRequestId;
      const seen = [
        await post('/init/error', '{}'),
        await post('/invocation/other/response', '1'),
        await fetch(base + '/invocation/next').then((answer) => answer.status),
        await post(own + '/response', '"first"'),
        await post(own + '/response', '"second"'),
        await post(own + '/error', 'not json at all'),
      ];
      console.log('seen', JSON.stringify(seen));
      return 'third';
    };`,
  'app/closer.js': `
    const { readdirSync, closeSync } = require('node:fs');
    exports.handler = async () => {
      for (const fd of readdirSync('/proc/self/fd')) if (Number(fd) > 2) try { closeSync(Number(fd)); } catch {}
      return 'unheard';
    };`,
  'app/slow-start.js': `
    const { existsSync, writeFileSync } = require('node:fs');
    if (!existsSync('started')) { writeFileSync('started', ''); for (;;); }
    exports.handler = async () => 'at last';`,
  'app/never-starts.js': `for (;;);`,
  'app/no-json.js': `
    const url = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime/invocation/';
    exports.handler = async (event, { awsRequestId }) => {
      await fetch(url + awsRequestId + '/response', { method: 'POST', body: Buffer.from('{"half": [\\xff') });
    };`,
  'app/cutter.js': `
    const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
    exports.handler = async (event, { awsRequestId }) => {
      for (const rest of ['Content-Length: 1000\\r\\n\\r\\n"cut', 'Transfer-Encoding: chunked\\r\\n\\r\\nzz\\r\\n', 'Bad Header\\r\\n\\r\\n']) {
        await new Promise((done) => {
          const socket = require('node:net').connect(Number(port), host);
          socket.on('close', done).on('error', () => {});
          socket.write('POST /2018-06-01/runtime/invocation/' + awsRequestId + '/response HTTP/1.1\\r\\nHost: localhost\\r\\n' + rest, () => setTimeout(() => socket.destroy(), 20));
        });
      }
      return 'whole';
    };`,
  'app/dies-early.js': `process.stdout.write('on my way out'); process.exit(0);`,
  'app/flood.js': `
    const base = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime';
    exports.handler = async (event, context) => {
      await Promise.all(Array.from({ length: 200 }, () => fetch(base + '/invocation/x/response', { method: 'POST', body: 'z'.repeat(65536) }).catch(() => {})));
      process.stdout.write(Buffer.from([0xff, 0xfe, 0x00, 0x0a]));
      return 'flooded';
    };`,
};

let local: LocalLambda;

beforeAll(async () => {
  local = await openLocalLambda(FILES, { initTimeoutMs: 1500 });
});
afterAll(() => local.close());

test('a function that prints 100 MB returns its response; only the end of its log is kept', async () => {
  const result = await local.invoke('Printer');
  expect(resultOf(result)).toBe('printed');
  expect(result.log.length).toBeLessThan(LOG_MAX_CHARS + 300_000);
  expect(result.log.slice(0, 40)).toMatch(/^\(\d+ earlier lines omitted\)\n/);
  expect(result.log.slice(-2000)).toMatch(/y{100}\nEND RequestId/);
  expect(result.logTail.length).toBeLessThanOrEqual(4096);
});

test('a function that ignores signals is killed at its timeout', async () => {
  const result = await local.invoke('Stubborn');
  expect(resultOf(result)).toMatchObject({ errorType: 'Sandbox.Timedout' });
});

test('processes that a function started end with it, also outside of its process group', async () => {
  const file = `${local.dir}/pids`;
  const result = await local.invoke('Forker', { file });
  expect(resultOf(result)).toMatchObject({ errorType: 'Sandbox.Timedout' });
  const pids = readFileSync(file, 'utf8').trim().split('\n').map(Number);
  expect(pids).toHaveLength(5);
  await expect.poll(() => pids.filter(isRunning)).toEqual([]);
});

test('of a function that responds twice and calls out of order, one response counts', async () => {
  const result = await local.invoke('Liar');
  expect(resultOf(result)).toBe('first');
  expect(result.functionError).toBeUndefined();
  expect(result.log).toContain('seen [403,400,403,202,403,403]');
  expect(resultOf(await local.invoke('Liar'))).toBe('first');
});

test('a function that closes its connections ends with an exit or a timeout', async () => {
  const result = await local.invoke('Closer');
  expect(result.functionError).toBe('Unhandled');
  expect(resultOf(result)).toMatchObject({
    errorType: expect.stringMatching(/^(Runtime.ExitError|Sandbox.Timedout)$/),
  });
});

test('an initialisation that times out runs again inside the invocation, within its timeout', async () => {
  const result = await local.invoke('SlowStart');
  expect(resultOf(result)).toBe('at last');
  expect(existsSync(`${local.dir}/app/started`)).toBe(true);
  expect(result.log).toMatch(/^INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: timeout\nSTART/);
  expect(result.log).not.toMatch(/Billed Duration: \d+ ms.*Init Duration/);
});

test('a function that never becomes ready times out', async () => {
  const result = await local.invoke('NeverStarts');
  expect(resultOf(result)).toMatchObject({ errorType: 'Sandbox.Timedout' });
  expect(result.log).toContain('Task timed out after 1.00 seconds');
});

test('a function that floods the Runtime API and prints no text returns its response', async () => {
  expect(resultOf(await local.invoke('Flood'))).toBe('flooded');
});

test('a response that is not JSON reaches the caller unchanged', async () => {
  const { payload, functionError } = await local.invoke('NoJson');
  expect(payload).toEqual(Buffer.from('{"half": [\xff'));
  expect(functionError).toBeUndefined();
});

test('a function that aborts its connections returns the response that it sends completely', async () => {
  expect(resultOf(await local.invoke('Cutter'))).toBe('whole');
});

test('a function that exits while it starts is an exit, and its output is in the log', async () => {
  const result = await local.invoke('DiesEarly');
  expect(resultOf(result)).toMatchObject({
    errorType: 'Runtime.ExitError',
    errorMessage: expect.stringContaining('Runtime exited without providing a reason'),
  });
  expect(result.log).toContain('on my way out\n');
});

test.each([
  ...['Printer', 'Stubborn', 'Forker', 'Liar', 'Closer', 'SlowStart', 'NeverStarts', 'Flood', 'NoJson', 'Cutter'],
  'DiesEarly',
])('while %s misbehaves, another function is invoked and traced as usual', async (name) => {
  let isOver = false;
  const hostile = local.invoke(name, { file: '/dev/null' }).finally(() => {
    isOver = true;
  });
  const served: InvokeResult[] = [];
  do served.push(await local.invoke('Good'));
  while (!isOver);
  await hostile;
  expect(new Set(served.map(resultOf))).toEqual(new Set(['good']));
  for (const { requestId } of served) {
    const { sandbox } = await local.daemon.until((documents) => lambdaSegments(documents, requestId));
    expect(sandbox).not.toHaveProperty('fault');
  }
});

test('close ends running invocations, and later calls fail', async () => {
  const other = await openLocalLambda(FILES);
  const running = other.invoke('Endless');
  await expect.poll(() => other.logEvents.map(({ text }) => text)).toContainEqual(expect.stringMatching(/^START/));
  await other.close();
  expect(resultOf(await running)).toMatchObject({ errorType: 'Runtime.ExitError' });
  await expect(other.invoke('Good')).rejects.toMatchObject({ code: 'ServiceUnavailable' });
});
