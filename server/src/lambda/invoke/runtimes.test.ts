import { execFileSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import { lambdaSegments, subsegment } from '../testing/daemon.ts';
import { type LocalLambda, openLocalLambda, resultOf, writeFiles } from '../testing/local-lambda.ts';

const FUNCTION = 'Type: AWS::Serverless::Function, Properties: {Tracing: Active, CodeUri: app, Timeout: 20';

function hasPython(): boolean {
  try {
    execFileSync('python3', ['--version']);
    return true;
  } catch {
    return false;
  }
}

describe('the Node runtime', () => {
  const handlers: Record<string, string> = {
    Cjs: 'cjs.nested.handler',
    Esm: 'esm.handler',
    TypeModule: 'module/index.handler',
    Callback: 'callbacks.handler',
    Streaming: 'streaming.handler',
    Console: 'console.handler',
  };
  let local: LocalLambda;

  beforeAll(async () => {
    const entries = Object.entries(handlers).map(
      ([id, handler]) => `  ${id}: {${FUNCTION}, Runtime: nodejs20.x, Handler: ${handler}}}`,
    );
    local = await openLocalLambda({
      'template.yaml': [
        'Resources:',
        ...entries,
        `  Newer: {${FUNCTION}, Runtime: nodejs24.x, Handler: callbacks.handler}}`,
        `  JsonConsole: {${FUNCTION}, Runtime: nodejs20.x, Handler: console.handler, LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: WARN}}}`,
      ].join('\n'),
      'app/cjs.js': `exports.nested = { handler: async () => 'cjs' };`,
      'app/esm.mjs': `const value = await Promise.resolve('esm');\nexport const handler = async () => value;`,
      'app/module/package.json': '{"type":"module"}',
      'app/module/index.js': `export const handler = async () => import.meta.url.split('/').pop();`,
      'app/callbacks.js': `
        exports.handler = (event, context, callback) => {
          if (event.how === 'later') { setTimeout(() => console.log('work is done'), 20); callback(null, 'called'); }
          if (event.how === 'now') { context.callbackWaitsForEmptyEventLoop = false; setTimeout(() => {}, 60_000); callback(null, 'at once'); }
          if (event.how === 'error') callback(new TypeError('by callback'));
          if (event.how === 'done') context.done(null, 'by done');
          if (event.how === 'fail') context.fail('by fail');
        };`,
      'app/streaming.js': `
        exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
          if (event.how === 'http') {
            stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
            stream.write('body'); stream.end(); return;
          }
          if (event.how === 'early') throw new Error('before the first byte');
          stream.write('one ');
          if (event.how === 'midway') throw new Error('midway');
          await new Promise(setImmediate);
          stream.end('two');
        });`,
      'app/console.js': `
        console.debug('while loading');
        exports.handler = async () => {
          console.log('%s is %d', 'x', 1, { a: 1 });
          console.warn('two\\nlines');
          console.error('bad', new Error('inner'));
          console.error({ an: 'object' });
        };`,
    });
  });
  afterAll(() => local.close());

  test.each([
    ['Cjs', 'cjs'],
    ['Esm', 'esm'],
    ['TypeModule', 'index.js'],
  ])('%s', async (name, expected) => {
    expect(resultOf(await local.invoke(name))).toBe(expected);
  });

  test('callbacks: the response waits for an empty event loop unless the handler opts out', async () => {
    const later = await local.invoke('Callback', { how: 'later' });
    expect(resultOf(later)).toBe('called');
    expect(later.log).toContain('work is done');
    expect(resultOf(await local.invoke('Callback', { how: 'done' }))).toBe('by done');
    expect(resultOf(await local.invoke('Callback', { how: 'nothing' }))).toBeNull();
    expect(resultOf(await local.invoke('Callback', { how: 'error' }))).toMatchObject({ errorType: 'TypeError' });
    expect(resultOf(await local.invoke('Callback', { how: 'fail' }))).toMatchObject({ errorMessage: 'by fail' });
    expect(resultOf(await local.invoke('Callback', { how: 'now' }))).toBe('at once');
  });

  test('callbacks are rejected from Node 24 on', async () => {
    expect(resultOf(await local.invoke('Newer'))).toMatchObject({ errorType: 'Runtime.CallbackHandlerDeprecated' });
  });

  test.each([
    ['Cjs', '20'],
    ['Newer', '24'],
  ])('%s, which asks for Node %s, is warned of on any other Node', async (name, asked) => {
    await local.invoke(name);
    const [major] = process.versions.node.split('.');
    const expected = `${name} asks for nodejs${asked}.x and runs on Node ${process.versions.node}.`;
    expect(local.warnings.filter((warning) => warning.startsWith(name))).toEqual(major === asked ? [] : [expected]);
  });

  test('streams, with and without a prelude, and errors before and after the first byte', async () => {
    const text = async (how: string) => (await local.invoke('Streaming', { how })).payload.toString();
    expect(await text('plain')).toBe('one two');
    expect(await text('http')).toBe(`{"statusCode":201}${'\0'.repeat(8)}body`);
    for (const [how, errorMessage] of [
      ['early', 'before the first byte'],
      ['midway', 'midway'],
    ] as const) {
      const result = await local.invoke('Streaming', { how });
      expect(result.functionError).toBe('Unhandled');
      expect(resultOf(result)).toMatchObject({ errorType: 'Error', errorMessage });
    }
  });

  test('console lines: time, request, level, text', async () => {
    const { log, requestId } = await local.invoke('Console');
    const lines = log
      .replaceAll(requestId, '<id>')
      .split('\n')
      .map((line) => line.replace(/^\d{4}-.*?Z/, '<time>'));
    expect(lines[0]).toBe('<time>\tundefined\tDEBUG\twhile loading');
    expect(lines.slice(2, 5)).toEqual(['<time>\t<id>\tINFO\tx is 1 { a: 1 }', '<time>\t<id>\tWARN\ttwo', 'lines']);
    expect(lines[5]).toBe('<time>\t<id>\tERROR\tbad Error: inner');
  });

  test('console lines as JSON, from their level on', async () => {
    const { log } = await local.invoke('JsonConsole');
    const records = log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ level }) => level !== undefined);
    expect(records).toMatchObject([
      { level: 'WARN', message: 'two\nlines' },
      {
        level: 'ERROR',
        message: expect.stringContaining('bad Error: inner'),
        errorType: 'Error',
        errorMessage: 'inner',
      },
      { level: 'ERROR', message: { an: 'object' } },
    ]);
  });
});

describe('a custom runtime', () => {
  test('is the bootstrap of the package; a missing one is an invalid entrypoint', async () => {
    const local = await openLocalLambda({
      'template.yaml': `
Resources:
  Shell: {${FUNCTION}, Runtime: provided.al2023, Handler: none}}
  Empty: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, CodeUri: empty, Tracing: Active}}`,
      'empty/readme': '',
      'app/bootstrap': `#!/bin/sh
base="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
exec node -e "
  (async () => { for (;;) {
    const next = await fetch('$base/invocation/next');
    const id = next.headers.get('lambda-runtime-aws-request-id');
    await fetch('$base/invocation/' + id + '/response', { method: 'POST', body: await next.text() });
  } })()"
`,
    });
    try {
      expect(resultOf(await local.invoke('Shell'))).toMatchObject({
        errorMessage: expect.stringContaining('permission denied'),
      });
      execFileSync('chmod', ['+x', `${local.dir}/app/bootstrap`]);
      expect(resultOf(await local.invoke('Shell', { echo: 1 }))).toEqual({ echo: 1 });
      expect(resultOf(await local.invoke('Empty'))).toEqual({
        errorType: 'Runtime.InvalidEntrypoint',
        errorMessage: expect.stringMatching(/^RequestId: \S+ Error: Couldn't find valid bootstrap\(s\): \[/),
      });
    } finally {
      await local.close();
    }
  });
});

describe.skipIf(!hasPython())('the Python runtime (needs python3 on the PATH)', () => {
  let local: LocalLambda;

  beforeAll(async () => {
    const python = (handler: string, more = '') => `{${FUNCTION}, Runtime: python3.11, Handler: ${handler}${more}}}`;
    local = await openLocalLambda({
      'template.yaml': `
Resources:
  Good: ${python('good.handler')}
  Folder: ${python('folder/inner.handler')}
  Missing: ${python('missing.handler')}
  Nameless: ${python('good.nothing')}
  Raises: ${python('raises.handler')}
  JsonLog: ${python('good.handler', ', LoggingConfig: {LogFormat: JSON}')}`,
      'app/good.py': `
import logging, os, sys, decimal
AT_IMPORT = os.environ.get("_X_AMZN_TRACE_ID")
def handler(event, context):
    how = event.get("how")
    print("printed", how)
    logging.getLogger().warning("two\\nlines")
    if how == "raise":
        raise ValueError("bad value")
    if how == "exit":
        sys.exit(3)
    if how == "set":
        return {1, 2}
    if how == "decimals":
        return [decimal.Decimal(n) for n in ("1.50", "100", "12345678901234567890.1", "NaN")]
    return {"at_import": AT_IMPORT, "header": os.environ["_X_AMZN_TRACE_ID"], "id": context.aws_request_id,
            "left": context.get_remaining_time_in_millis() > 0, "memory": context.memory_limit_in_mb, "n": decimal.Decimal("1.5")}
`,
      'app/folder/inner.py': 'def handler(event, context):\n    return "inner ü"\n',
      'app/raises.py': 'raise KeyError("while loading")\n',
    });
  });
  afterAll(() => local.close());

  test('gives the handler its event and context; the payload is spaced as Python does it', async () => {
    const cold = await local.invoke('Good');
    const warm = await local.invoke('Good');
    expect(resultOf(cold)).toEqual({
      at_import: null,
      header: cold.traceHeader,
      id: cold.requestId,
      left: true,
      memory: '128',
      n: 1.5,
    });
    expect((resultOf(warm) as JsonObject).header).toBe(warm.traceHeader);
    expect(warm.payload.toString()).toMatch(/^\{"at_import": null, "header": "/);
    expect((await local.invoke('Folder')).payload.toString()).toBe('"inner \\u00fc"');
    const { sandbox } = await local.daemon.until((documents) => lambdaSegments(documents, cold.requestId));
    expect(subsegment(sandbox, 'Initialization')).toBeDefined();
  });

  test('writes each Decimal with the digits that it has', async () => {
    const { payload } = await local.invoke('Good', { how: 'decimals' });
    expect(payload.toString()).toBe('[1.50, 100, 12345678901234567890.1, NaN]');
  });

  test('prints and logs in order, as Lambda formats them', async () => {
    const { log, requestId } = await local.invoke('Good', { how: 'log' });
    const lines = log.split('\n').map((line) => line.replace(/\d{4}-.*?Z/, '<time>').replace(requestId, '<id>'));
    expect(lines.slice(-7, -4)).toEqual(['printed log', '[WARNING]\t<time>\t<id>\ttwo', 'lines']);
  });

  test('an exception: payload, log and cause', async () => {
    const result = await local.invoke('Good', { how: 'raise' });
    expect(result.functionError).toBe('Unhandled');
    expect(Object.entries(resultOf(result) as JsonObject)).toEqual([
      ['errorMessage', 'bad value'],
      ['errorType', 'ValueError'],
      ['requestId', result.requestId],
      ['stackTrace', [expect.stringMatching(/^ {2}File ".*good\.py", line \d+, in handler\n {4}raise ValueError/)]],
    ]);
    expect(result.log).toMatch(
      /\n\[ERROR\] ValueError: bad value\nTraceback \(most recent call last\):\n\u00a0\u00a0File /,
    );
    const { sandbox } = await local.daemon.until((documents) => lambdaSegments(documents, result.requestId));
    const stack = [{ path: `${local.dir}/app/good.py`, line: expect.any(Number), label: 'handler' }];
    expect(sandbox).toMatchObject({
      fault: true,
      cause: { exceptions: [{ type: 'ValueError', message: 'bad value', stack }] },
    });
  });

  test.each([
    [
      'Good',
      { how: 'exit' },
      { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('exit status 3') },
    ],
    ['Good', { how: 'set' }, { errorType: 'Runtime.MarshalError', errorMessage: expect.stringContaining('set') }],
    [
      'Missing',
      {},
      {
        errorType: 'Runtime.ImportModuleError',
        errorMessage: "Unable to import module 'missing': No module named 'missing'",
      },
    ],
    [
      'Nameless',
      {},
      { errorType: 'Runtime.HandlerNotFound', errorMessage: "Handler 'nothing' missing on module 'good'" },
    ],
    ['Raises', {}, { errorType: 'KeyError', errorMessage: "'while loading'" }],
  ])('%s with %o fails', async (name, event, payload) => {
    const result = await local.invoke(name, event);
    expect(result.functionError).toBe('Unhandled');
    expect(resultOf(result)).toMatchObject(payload);
  });

  test('JSON logging', async () => {
    const { log, requestId } = await local.invoke('JsonLog');
    const records = log
      .trimEnd()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    expect(records[1]).toMatchObject({ level: 'WARNING', message: 'two\nlines', logger: 'root', requestId });
  });

  test('receives SIGTERM while it waits for an event, when an extension is registered', async () => {
    const own = await openLocalLambda({
      'template.yaml': `Resources:\n  Tidy: {${FUNCTION}, Runtime: python3.12, Handler: tidy.handler}}\n`,
      'app/tidy.py': `
import json, os, signal, sys, threading, urllib.request
API = "http://%s/2020-01-01/extension" % os.environ["AWS_LAMBDA_RUNTIME_API"]
def call(path, body, headers):
    return urllib.request.urlopen(urllib.request.Request(API + path, body, headers))
registered = call("/register", json.dumps({"events": []}).encode(), {"Lambda-Extension-Name": "tidy"})
own = {"Lambda-Extension-Identifier": registered.headers["Lambda-Extension-Identifier"]}
threading.Thread(target=call, args=("/event/next", None, own), daemon=True).start()
def tidy_up(signum, frame):
    print("tidied up", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, tidy_up)
def handler(event, context):
    return "ran"
`,
    });
    expect(resultOf(await own.invoke('Tidy'))).toBe('ran');
    await own.close();
    expect(own.logEvents.map(({ text }) => text)).toContain('tidied up');
  });

  test('runs in the active virtual environment', async () => {
    const venv = join(await writeFiles({}), 'venv');
    execFileSync('python3', ['-m', 'venv', '--without-pip', venv]);
    const [version = ''] = await readdir(join(venv, 'lib'));
    const packages = join(venv, 'lib', version, 'site-packages');
    await writeFile(join(packages, 'only_here.py'), 'WORD = "from the environment"\n');
    const own = await openLocalLambda(
      {
        'template.yaml': `Resources:\n  Uses: {${FUNCTION}, Runtime: python3.11, Handler: uses.handler}}\n`,
        'app/uses.py': 'import only_here\ndef handler(event, context): return only_here.WORD\n',
      },
      { hostVariables: { PATH: process.env.PATH, VIRTUAL_ENV: venv } },
    );
    onTestFinished(own.close);
    expect(resultOf(await own.invoke('Uses'))).toBe('from the environment');
  });
});
