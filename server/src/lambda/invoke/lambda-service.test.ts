import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import { lambdaSegments, subsegment } from '../testing/daemon.ts';
import { type LocalLambda, openLocalLambda, resultOf } from '../testing/local-lambda.ts';

const NODE = `{Type: AWS::Serverless::Function, Properties: {Runtime: nodejs20.x, CodeUri: app`;
const TEMPLATE = `
Globals: {Function: {Timeout: 60, MemorySize: 256, Tracing: Active}}
Resources:
  Echo: ${NODE}, Handler: echo.handler, AutoPublishAlias: prod}}
  Passive: ${NODE}, Handler: echo.handler, Tracing: PassThrough}}
  Json: ${NODE}, Handler: echo.handler, LoggingConfig: {LogFormat: JSON}}}
  Failing: ${NODE}, Handler: failing.handler}}
  Looping: ${NODE}, Handler: failing.handler, Timeout: 1}}
  Broken: ${NODE}, Handler: broken.handler}}
  Absent: ${NODE}, Handler: nowhere.handler}}
  Unnamed: ${NODE}, Handler: echo.nothing}}
  DiesEarly: ${NODE}, Handler: dies.handler}}
  Slow: ${NODE}, Handler: slow.handler}}
  Reserved: ${NODE}, Handler: slow.handler, ReservedConcurrentExecutions: 1}}
  Retried: ${NODE}, Handler: retried.handler}}
  Dotnet: {Type: AWS::Serverless::Function, Properties: {Runtime: dotnet8, Handler: a.B::c, CodeUri: app}}
`;

const FILES = {
  'template.yaml': TEMPLATE,
  'app/echo.js': `
    const atImport = process.env._X_AMZN_TRACE_ID ?? null;
    exports.handler = async (event, context) => {
      console.log('for', event.name);
      return { event, atImport, header: process.env._X_AMZN_TRACE_ID, id: context.awsRequestId, arn: context.invokedFunctionArn,
        custom: context.clientContext?.custom ?? null };
    };`,
  'app/failing.js': `
    exports.handler = async ({ how }) => {
      if (how === 'throw') throw new RangeError('out of range');
      if (how === 'text') throw 'just text';
      if (how === 'exit1') process.exit(1);
      if (how === 'exit0') process.exit(0);
      if (how === 'loop') for (;;);
      if (how === 'reject') { Promise.reject(new Error('not handled')); return 1; }
      if (how === 'uncaught') { setTimeout(() => { throw new Error('later'); }); return new Promise(() => {}); }
      if (how === 'pending') return new Promise(() => {});
      if (how === 'big') return 'x'.repeat(7 * 1024 * 1024);
      if (how === 'bigint') return 1n;
      if (how === 'signal') { process.kill(process.pid, 'SIGKILL'); return new Promise(() => {}); }
      return how;
    };`,
  'app/broken.js': `throw new TypeError('while loading');`,
  'app/dies.js': `process.exit(7);`,
  'app/slow.js': `
    setTimeout(() => {}, 100_000);
    exports.handler = ({ ms }) => new Promise((done) => setTimeout(done, ms));`,
  'app/retried.js': `
    const { readFileSync, appendFileSync, existsSync } = require('node:fs');
    exports.handler = async ({ file, failures }) => {
      appendFileSync(file, process.env._X_AMZN_TRACE_ID + '\\n');
      if (readFileSync(file, 'utf8').split('\\n').length - 1 <= failures) throw new Error('not yet');
    };`,
};

let local: LocalLambda;

beforeAll(async () => {
  local = await openLocalLambda(FILES, { retryDelaysMs: [1, 1] });
});
afterAll(() => local.close());

const segmentsOf = (requestId: string) => local.daemon.until((documents) => lambdaSegments(documents, requestId));
const documentsOf = (traceId: string) =>
  local.daemon.documents.filter(({ trace_id: id }) => String(id).replaceAll('-', '').slice(1) === traceId);

const seconds = (segment: JsonObject | undefined) => {
  const { start_time: start, end_time: end } = segment ?? {};
  return { start: start as number, end: end as number };
};

describe('a cold and a warm invocation', () => {
  test('differ by Initialization; their parts are in order, their ids are distinct, their parents resolve', async () => {
    const cold = await local.invoke('Echo', { name: 'first' });
    const warm = await local.invoke('Echo', { name: 'second' });
    const first = await segmentsOf(cold.requestId);
    const second = await segmentsOf(warm.requestId);

    const initialization = seconds(subsegment(first.sandbox, 'Initialization'));
    expect(seconds(first.service).start).toBeLessThanOrEqual(initialization.start);
    expect(initialization.end).toBeLessThanOrEqual(seconds(first.sandbox).start);
    expect(subsegment(second.sandbox, 'Initialization')).toBeUndefined();

    for (const { service, sandbox } of [first, second]) {
      const [invocation, overhead] = ['Invocation', 'Overhead'].map((name) => seconds(subsegment(sandbox, name)));
      expect(invocation?.start).toBeGreaterThanOrEqual(seconds(sandbox).start);
      expect(overhead).toEqual({ start: invocation?.end, end: seconds(sandbox).end });
      expect(seconds(service).end).toBeGreaterThanOrEqual(seconds(sandbox).end);
      expect(sandbox.parent_id).toBe(service.id);
      expect(service).not.toHaveProperty('parent_id');
      expect(service.http).toEqual({ response: { status: 200 } });
    }
    const ids = [first, second].flatMap(({ service, sandbox }) => [
      service.id,
      sandbox.id,
      ...(sandbox.subsegments as JsonObject[]).map(({ id }) => id),
    ]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('the function sees no header while it loads, and its Invocation as parent in each call', async () => {
    const calls = [await local.invoke('Echo'), await local.invoke('Echo')];
    for (const call of calls) {
      const { sandbox } = await segmentsOf(call.requestId);
      const { atImport, header } = resultOf(call) as JsonObject;
      expect(atImport).toBeNull();
      expect(header).toBe(call.traceHeader);
      expect(header).toBe(`Root=${sandbox.trace_id};Parent=${subsegment(sandbox, 'Invocation')?.id};Sampled=1`);
    }
    expect(calls[0]?.traceId).not.toBe(calls[1]?.traceId);
  });

  test('the log is Lambda’s, byte by byte except ids and numbers', async () => {
    await local.invoke('Echo');
    const { log } = await local.invoke('Echo', { name: 'brian1' });
    const masked = log
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>')
      .replace(/1-[0-9a-f]{8}-[0-9a-f]{24}/g, '<trace>')
      .replace(/\b[0-9a-f]{16}\b/g, '<segment>')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>')
      .replace(/\d+\.\d\d ms/g, '<n.nn> ms')
      .replace(/\b\d+ ms\b/g, '<n> ms')
      .replace(/Used: \d+/, 'Used: <n>');
    expect(masked).toBe(
      'START RequestId: <id> Version: $LATEST\n' +
        '<time>\t<id>\tINFO\tfor brian1\n' +
        'END RequestId: <id>\n' +
        'REPORT RequestId: <id>\tDuration: <n.nn> ms\tBilled Duration: <n> ms\tMemory Size: 256 MB\tMax Memory Used: <n> MB\t\n' +
        'XRAY TraceId: <trace>\tSegmentId: <segment>\tSampled: true\t\n',
    );
  });

  test('the report and the XRAY line have the ids and durations of the trace', async () => {
    const result = await local.invoke('Echo');
    const { sandbox } = await segmentsOf(result.requestId);
    expect(result.segmentId).toBe(sandbox.id);
    expect(result.log).toContain(`XRAY TraceId: ${sandbox.trace_id}\tSegmentId: ${sandbox.id}\t`);
    const usedMb = Number(/Max Memory Used: (\d+) MB/.exec(result.log)?.[1]);
    expect(usedMb).toBeGreaterThan(10);
  });

  test('log events are reported while they happen, with their request', async () => {
    const { requestId } = await local.invoke('Echo', { name: 'log' });
    const logEvents = local.logEvents.filter((event) => event.requestId === requestId);
    expect(logEvents.map(({ source }) => source)).toEqual(['platform', 'function', 'platform', 'platform']);
    expect(logEvents[1]).toMatchObject({
      functionName: 'Echo',
      logGroup: '/aws/lambda/Echo',
      text: expect.stringMatching(/for log$/),
    });
    expect(logEvents[1]?.logStream).toMatch(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
  });
});

describe('an incoming header', () => {
  const root = '1-6650a080-3c4d5e6f708192a3b4c5d6e7';

  test('sampled: both segments are in the caller’s trace, below its entity', async () => {
    const traceHeader = `Root=${root};Parent=a1b2c3d4e5f60718;Sampled=1;Lineage=1:01cfa446:0`;
    const result = await local.invoke('Echo', {}, { traceHeader });
    const { service, sandbox } = await segmentsOf(result.requestId);
    expect(service).toMatchObject({ trace_id: root, parent_id: 'a1b2c3d4e5f60718' });
    expect(sandbox).toMatchObject({ trace_id: root, parent_id: service.id });
    expect((resultOf(result) as JsonObject).header).toMatch(/;Sampled=1;Lineage=1:01cfa446:0$/);
  });

  test('unsampled: no document, a complete header, no XRAY line', async () => {
    const other = '1-6650a080-000000000000000000000001';
    const result = await local.invoke('Echo', {}, { traceHeader: `Root=${other};Parent=a1b2c3d4e5f60718;Sampled=0` });
    expect((resultOf(result) as JsonObject).header).toMatch(
      new RegExp(`^Root=${other};Parent=[0-9a-f]{16};Sampled=0$`),
    );
    expect(result).toMatchObject({ isSampled: false, segmentId: undefined });
    expect(result.log).not.toContain('XRAY');
    await segmentsOf((await local.invoke('Echo')).requestId);
    expect(documentsOf(result.traceId)).toEqual([]);
  });

  test('PassThrough: the function gets the caller’s header, and Lambda writes nothing', async () => {
    const other = '1-6650a080-000000000000000000000002';
    const traceHeader = `Root=${other};Parent=a1b2c3d4e5f60718;Sampled=1`;
    const result = await local.invoke('Passive', {}, { traceHeader });
    expect((resultOf(result) as JsonObject).header).toBe(traceHeader);
    await segmentsOf((await local.invoke('Echo')).requestId);
    expect(documentsOf(result.traceId)).toEqual([]);
  });
});

describe('failures end as Lambda ends them', () => {
  const platform = (errorType: string, text: string) => ({ errorType, errorMessage: expect.stringContaining(text) });

  test.each([
    [
      'Failing',
      'exit1',
      platform('Runtime.ExitError', ' Error: Runtime exited with error: exit status 1'),
      'Status: error\tError Type: Runtime.ExitError',
    ],
    [
      'Failing',
      'exit0',
      platform('Runtime.ExitError', ' Error: Runtime exited without providing a reason'),
      'Status: error\tError Type: Runtime.ExitError',
    ],
    [
      'Failing',
      'signal',
      platform('Runtime.ExitError', ' Error: Runtime exited with error: signal: killed'),
      'Status: error\tError Type: Runtime.ExitError',
    ],
    [
      'Looping',
      'loop',
      platform('Sandbox.Timedout', ' Error: Task timed out after 1.00 seconds'),
      'Billed Duration: 1000 ms',
    ],
    [
      'Failing',
      'big',
      platform('Function.ResponseSizeTooLarge', 'exceeded maximum allowed payload size (6291556 bytes).'),
      'Error Type: Function.ResponseSizeTooLarge',
    ],
  ])('%s: %s', async (name, how, payload, report) => {
    const result = await local.invoke(name, { how });
    expect(result).toMatchObject({ statusCode: 200, functionError: 'Unhandled' });
    expect(resultOf(result)).toEqual(payload);
    expect(result.log).toContain(report);
    const { service, sandbox } = await segmentsOf(result.requestId);
    const { errorType: type, errorMessage: message } = resultOf(result) as JsonObject;
    expect(sandbox).toMatchObject({ fault: true, cause: { exceptions: [{ type, message }] } });
    expect(subsegment(sandbox, 'Invocation')).toMatchObject({ fault: true });
    expect(subsegment(sandbox, 'Overhead') !== undefined).toBe(how === 'big');
    expect(service).not.toHaveProperty('fault');
  });

  test('a thrown error has a payload, a log line, and a cause with its frames', async () => {
    const result = await local.invoke('Failing', { how: 'throw' });
    expect(result.functionError).toBe('Unhandled');
    const payload = resultOf(result) as JsonObject;
    expect(Object.keys(payload)).toEqual(['errorType', 'errorMessage', 'trace']);
    expect(payload).toMatchObject({ errorType: 'RangeError', errorMessage: 'out of range' });
    expect(result.log).toMatch(
      /\tERROR\tInvoke Error \t\{"errorType":"RangeError","errorMessage":"out of range","stack":\[/,
    );
    const { sandbox } = await segmentsOf(result.requestId);
    const frame = { path: `${local.dir}/app/failing.js`, line: 3, label: 'exports.handler' };
    const exception = { type: 'RangeError', message: 'out of range', stack: expect.arrayContaining([frame]) };
    expect(sandbox).toMatchObject({
      fault: true,
      cause: { working_directory: `${local.dir}/app`, exceptions: [exception] },
    });
    expect(subsegment(sandbox, 'Overhead')).toBeDefined();
  });

  test.each([
    ['text', { errorType: 'string', errorMessage: 'just text' }],
    ['bigint', { errorType: 'Runtime.MarshalError' }],
    ['pending', { errorType: 'Runtime.NodeJsExit' }],
    ['reject', { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: 'Error: not handled' }],
    ['uncaught', { errorType: 'Error', errorMessage: 'later' }],
  ])('%s is reported by the runtime', async (how, payload) => {
    const result = await local.invoke('Failing', { how });
    expect(result.functionError).toBe('Unhandled');
    expect(resultOf(result)).toMatchObject(payload);
  });

  test('a process that crashed gets no further event, even when one follows at once', async () => {
    for (let round = 0; round < 10; round++) {
      const [crashed, next] = [
        await local.invoke('Failing', { how: 'reject' }),
        await local.invoke('Failing', { how: 'fine' }),
      ];
      expect(crashed.log).toContain('Status: error\tError Type: Runtime.ExitError');
      expect(resultOf(next)).toBe('fine');
    }
  });

  test('after a crash the next invocation works in a new environment', async () => {
    const cold = await local.invoke('Failing', { how: 'exit1' });
    expect(cold.functionError).toBe('Unhandled');
    const again = await local.invoke('Failing', { how: 'fine' });
    expect(resultOf(again)).toBe('fine');
    expect(again.log).toContain('Init Duration');
  });

  test.each([
    ['Broken', { errorType: 'TypeError', errorMessage: 'while loading' }],
    [
      'Absent',
      { errorType: 'Runtime.ImportModuleError', errorMessage: expect.stringContaining("Cannot find module 'nowhere'") },
    ],
    ['Unnamed', { errorType: 'Runtime.HandlerNotFound', errorMessage: 'echo.nothing is undefined or not exported' }],
    ['DiesEarly', { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('exit status 7') }],
  ])('%s fails while it is initialised, each time', async (name, payload) => {
    for (let round = 0; round < 2; round++) {
      const result = await local.invoke(name);
      expect(result.functionError).toBe('Unhandled');
      expect(resultOf(result)).toMatchObject(payload);
      expect(result.log).toMatch(/INIT_REPORT Init Duration: .*Status: error\tError Type: Runtime\./);
      const { sandbox } = await segmentsOf(result.requestId);
      expect(sandbox).toMatchObject({ fault: true, subsegments: [{ name: 'Initialization', fault: true }] });
      expect(sandbox.cause).toMatchObject({ exceptions: [{ message: payload.errorMessage }] });
    }
  });

  test('an invocation that cannot run fails with its reason before a process starts', async () => {
    await expect(local.invoke('Dotnet')).rejects.toThrow(
      'Dotnet needs dotnet8; openray runs nodejs, python3, java, ruby3 and provided',
    );
    await expect(local.invoke('Unknown')).rejects.toThrow(
      'Function not found: arn:aws:lambda:us-east-1:000000000000:function:Unknown',
    );
    const payload = Buffer.from('{not json');
    await expect(local.invoke('Echo', null, { payload })).rejects.toThrow('Could not parse request body into json');
  });
});

test('a slow function has a segment in progress; a fast one has not', async () => {
  const slow = local.invoke('Slow', { ms: 400 });
  const open = await local.daemon.until((documents) =>
    documents.find(({ name, in_progress: isOpen }) => name === 'Slow' && isOpen === true),
  );
  expect(open).toMatchObject({ origin: 'AWS::Lambda::Function' });
  await slow;
  // On a busy machine the first invocations may be slow enough for a segment in progress.
  await vi.waitFor(
    async () => {
      const { requestId, traceId } = await local.invoke('Slow', { ms: 1 });
      await segmentsOf(requestId);
      expect(documentsOf(traceId)).toHaveLength(2);
    },
    { timeout: 60_000 },
  );
});

describe('concurrency', () => {
  test('two hundred at once each have their own event, header and trace', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `user-${index}`);
    const results = await Promise.all(names.map((name) => local.invoke('Echo', { name })));
    for (const [index, result] of results.entries()) {
      const { event, header, id } = resultOf(result) as JsonObject;
      expect([event, header, id]).toEqual([{ name: names[index] }, result.traceHeader, result.requestId]);
      expect(result.log.match(/\tfor user-\d+/g)).toEqual([`\tfor user-${index}`]);
      const { service, sandbox } = await segmentsOf(result.requestId);
      expect(sandbox).toMatchObject({ trace_id: service.trace_id, parent_id: service.id });
    }
    expect(new Set(results.map(({ traceId }) => traceId)).size).toBe(200);
  });

  test('an invocation over the reserved concurrency is throttled, also in the trace', async () => {
    const first = local.invoke('Reserved', { ms: 300 });
    await expect(local.invoke('Reserved', { ms: 1 })).rejects.toMatchObject({ code: 'ThrottledException' });
    const throttled = await local.daemon.until((documents) =>
      documents.find(({ name, throttle }) => name === 'Reserved' && throttle === true),
    );
    expect(throttled).toMatchObject({ origin: 'AWS::Lambda', error: true, http: { response: { status: 429 } } });
    expect((await first).functionError).toBeUndefined();
  });
});

describe('other kinds of invocation', () => {
  test('Event responds at once; the trace has the dwell time and the attempts, each with its own segment', async () => {
    const file = `${local.dir}/attempts`;
    const accepted = await local.invoke('Retried', { file, failures: 1 }, { invocationType: 'Event' });
    expect(accepted).toMatchObject({ statusCode: 202, payload: Buffer.alloc(0) });
    await local.lambda.whenIdle();
    const service = await local.daemon.until((documents) =>
      documents.find(
        ({ aws, in_progress: open }) => (aws as JsonObject).request_id === accepted.requestId && open !== true,
      ),
    );
    expect(service).toMatchObject({ http: { response: { status: 202 } } });
    const attempts = (service.subsegments as JsonObject[]).slice(1);
    expect(service.subsegments).toMatchObject([{ name: 'Dwell Time' }, { name: 'Attempt #1' }, { name: 'Attempt #2' }]);
    expect(seconds(attempts[1]).end).toBeGreaterThan(seconds(service).end);
    const sandboxes = await local.daemon.until(() => {
      const done = documentsOf(accepted.traceId).filter(
        ({ origin, in_progress: open }) => origin === 'AWS::Lambda::Function' && open !== true,
      );
      return done.length >= attempts.length ? done : undefined;
    });
    expect(sandboxes.map(({ parent_id: parent }) => parent)).toEqual(attempts.map(({ id }) => id));
    expect(sandboxes.map(({ fault }) => fault)).toEqual([true, undefined]);
  });

  test('DryRun runs nothing', async () => {
    const before = local.logEvents.length;
    expect(await local.invoke('Echo', {}, { invocationType: 'DryRun' })).toMatchObject({ statusCode: 204, log: '' });
    expect(local.logEvents.length).toBe(before);
  });

  test('names, ARNs, qualifiers and client context reach the function', async () => {
    const arn = 'arn:aws:lambda:us-east-1:000000000000:function:Echo';
    const seen = async (name: string, qualifier?: string) =>
      resultOf(await local.invoke(name, {}, { qualifier, clientContext: '{"custom":{"a":1}}' })) as JsonObject;
    expect(await seen('Echo')).toMatchObject({ arn, custom: { a: 1 } });
    expect(await seen('Echo', '$LATEST')).toMatchObject({ arn: `${arn}:$LATEST` });
    expect(await seen(`${arn}:prod`)).toMatchObject({ arn: `${arn}:prod` });
    expect(await seen('000000000000:function:Echo')).toMatchObject({ arn });
    await expect(seen(`${arn}:nope`)).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  });

  test('JSON logging: records of the platform and of the function', async () => {
    const { log } = await local.invoke('Json', { name: 'json' });
    const records = log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records).toMatchObject([
      { type: 'platform.start', record: { version: '$LATEST', tracing: { type: 'X-Amzn-Trace-Id' } } },
      { level: 'INFO', message: 'for json', requestId: records[0].record.requestId },
      { type: 'platform.report', record: { status: 'success', metrics: { memorySizeMB: 256 } } },
    ]);
  });
});
