import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import { readSubscription } from '../runtime/telemetry-subscription.ts';
import { openLocalLambda, resultOf } from '../testing/local-lambda.ts';

/** An extension like AWS's samples: registers, subscribes, then handles one event after the other. */
const EXTENSION = `#!${process.execPath}
const { appendFileSync, existsSync } = require('node:fs');
const { createServer } = require('node:http');
const { basename } = require('node:path');
const { once } = require('node:events');
const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API;
const report = (entry) => appendFileSync(process.env.REPORTS, JSON.stringify(entry) + '\\n');
const failsWith = process.env.EXTENSION_FAILS;
(async () => {
  report({ env: Object.keys(process.env).filter((name) => /^_|XRAY|LAMBDA_TASK_ROOT/.test(name) && name !== '_') });
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    report({ telemetry: JSON.parse(text) });
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const registered = await fetch(api + '/2020-01-01/extension/register', {
    method: 'POST',
    headers: { 'Lambda-Extension-Name': basename(__filename), 'Lambda-Extension-Accept-Feature': 'accountId' },
    body: JSON.stringify({ events: ['INVOKE', 'SHUTDOWN'] }),
  });
  const id = registered.headers.get('lambda-extension-identifier');
  report({ registered: await registered.json() });
  const headers = { 'Lambda-Extension-Identifier': id };
  await fetch(api + '/2022-07-01/telemetry', {
    method: 'PUT',
    headers,
    body: JSON.stringify({
      schemaVersion: '2022-12-13', types: ['platform', 'function', 'extension'],
      buffering: { maxItems: 1000, maxBytes: 262144, timeoutMs: 25 },
      destination: { protocol: 'HTTP', URI: 'http://sandbox.localdomain:' + server.address().port },
    }),
  });
  console.log('extension is ready');
  for (;;) {
    const event = await (await fetch(api + '/2020-01-01/extension/event/next', { headers })).json();
    report({ event });
    if (event.eventType === 'SHUTDOWN') process.exit(0);
    if (failsWith !== undefined) process.exit(Number(failsWith));
    const { HOLD_UNTIL: file } = process.env;
    while (file && !existsSync(file)) await new Promise((done) => setTimeout(done, 5));
    report({ handled: event.requestId });
  }
})();
`;

const TEMPLATE = `
Globals: {Function: {Runtime: nodejs20.x, CodeUri: app, Handler: index.handler, Timeout: 20, Tracing: Active, Layers: [!Ref Layer]}}
Resources:
  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}
  Observed: {Type: AWS::Serverless::Function, Properties: {Environment: {Variables: {REPORTS: ''}}}}
  Held: {Type: AWS::Serverless::Function, Properties: {Environment: {Variables: {REPORTS: '', HOLD_UNTIL: ''}}}}
  Crashing: {Type: AWS::Serverless::Function, Properties: {Environment: {Variables: {REPORTS: '', EXTENSION_FAILS: '3'}}}}
`;

type Report = {
  readonly env?: readonly string[];
  readonly registered?: JsonObject;
  readonly event?: JsonObject;
  /** Request of the invocation that the extension has handled. */
  readonly handled?: string;
  readonly telemetry?: readonly {
    readonly type: string;
    readonly time: string;
    readonly record: JsonObject | string;
  }[];
};

async function openObserved(name: string) {
  const folder = await mkdtemp(join(tmpdir(), 'openray-reports-'));
  const reportsFile = join(folder, 'reports');
  const releaseFile = join(folder, 'release');
  const local = await openLocalLambda({
    'template.yaml': TEMPLATE.replaceAll(`REPORTS: ''`, `REPORTS: '${reportsFile}'`).replace(
      `HOLD_UNTIL: ''`,
      `HOLD_UNTIL: '${releaseFile}'`,
    ),
    'layer/extensions/observer': EXTENSION,
    'layer/extensions/readme.txt': 'not executable',
    'app/index.js': `
      exports.handler = async () => {
        console.log('from the function');
        if (process.env.EXTENSION_FAILS) await new Promise(() => setInterval(() => {}, 1000));
        return 'done';
      };`,
  });
  onTestFinished(async () => {
    await local.close();
    await rm(folder, { recursive: true });
  });
  await chmod(join(local.dir, 'layer/extensions/observer'), 0o755);
  const reports = async (): Promise<readonly Report[]> =>
    (await readFile(reportsFile, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Report);
  return { ...local, reports, call: () => local.invoke(name), release: () => writeFile(releaseFile, '') };
}

describe('an extension of a layer', () => {
  test('registers, and gets each invocation, the telemetry of Lambda and function, and the shutdown', async () => {
    const { call, reports, lambda, logEvents } = await openObserved('Observed');
    const first = await call();
    const second = await call();
    expect([resultOf(first), resultOf(second)]).toEqual(['done', 'done']);
    await lambda.close();
    const all = await reports();
    expect(all.flatMap(({ env = [] }) => env)).toEqual([]);
    expect(all.find(({ registered }) => registered)?.registered).toEqual({
      functionName: 'Observed',
      functionVersion: '$LATEST',
      handler: 'index.handler',
      accountId: '000000000000',
    });
    const events = all.flatMap(({ event }) => (event === undefined ? [] : [event]));
    expect(events.map(({ eventType }) => eventType)).toEqual(['INVOKE', 'INVOKE', 'SHUTDOWN']);
    expect(events[0]).toMatchObject({
      requestId: first.requestId,
      tracing: { type: 'X-Amzn-Trace-Id', value: first.traceHeader },
    });
    expect(events[2]).toMatchObject({ shutdownReason: 'spindown' });
    const telemetry = all.flatMap(({ telemetry: batch = [] }) => batch);
    expect(telemetry.map(({ type }) => type).filter((type) => type !== 'extension')).toEqual([
      ...['platform.initStart', 'platform.extension', 'platform.telemetrySubscription'],
      ...['platform.initRuntimeDone', 'platform.initReport'],
      ...['platform.start', 'function', 'platform.runtimeDone', 'platform.report'],
      ...['platform.start', 'function', 'platform.runtimeDone', 'platform.report'],
    ]);
    expect(telemetry.find(({ type }) => type === 'function')?.record).toContain('from the function');
    expect(telemetry.find(({ type }) => type === 'extension')?.record).toBe('extension is ready');
    const done = telemetry.find(({ type }) => type === 'platform.runtimeDone')?.record as JsonObject;
    expect(done).toMatchObject({ requestId: first.requestId, status: 'success', tracing: { type: 'X-Amzn-Trace-Id' } });
    expect((done.spans as readonly JsonObject[]).map(({ name }) => name)).toEqual([
      ...['responseLatency', 'responseDuration', 'runtimeOverhead'],
    ]);
    expect(logEvents.map(({ text }) => text)).toContain(
      'EXTENSION\tName: observer\tState: Ready\tEvents: [INVOKE, SHUTDOWN]',
    );
    expect(logEvents.map(({ text }) => text)).toContain(
      'TELEMETRY\tName: observer\tState: Subscribed\tTypes: [Platform, Function, Extension]',
    );
  });

  test('prolongs an invocation until it is done too', async () => {
    const { call, reports, release } = await openObserved('Held');
    const handled = async () => (await reports()).flatMap((report) => report.handled ?? []);
    const invocation = call().then(async ({ requestId }) => ({ requestId, handledAtItsEnd: await handled() }));
    const lines = async () => (await reports()).flatMap(({ telemetry = [] }) => telemetry).map(({ type }) => type);
    await expect.poll(lines).toContain('function');
    // The function returns after this line, and the extension waits for a file.
    expect(await handled()).toEqual([]);
    await release();
    const { requestId, handledAtItsEnd } = await invocation;
    expect(handledAtItsEnd).toEqual([requestId]);
  });

  test('that exits ends its environment; the next invocation starts a new one', async () => {
    const { call, daemon } = await openObserved('Crashing');
    for (let i = 0; i < 2; i++) {
      const result = await call();
      const message = `RequestId: ${result.requestId} Error: exit status 3`;
      expect(resultOf(result)).toEqual({ errorType: 'Extension.Crash', errorMessage: message });
      expect(result.log).toContain('Status: error\tError Type: Extension.Crash');
    }
    const faults = () => daemon.documents.filter(({ origin, fault }) => origin === 'AWS::Lambda::Function' && fault);
    await expect.poll(faults).not.toEqual([]);
  });
});

test('calls out of order are rejected, each with its own error', async () => {
  const local = await openLocalLambda({
    'template.yaml': `Resources: {Internal: {Type: AWS::Serverless::Function, Properties: {CodeUri: app, Runtime: nodejs20.x, Timeout: 20, Handler: internal.handler}}}`,
    'app/internal.mjs': `
      const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2020-01-01/extension/';
      const register = (headers, body) => fetch(api + 'register', { method: 'POST', headers, body: JSON.stringify(body) });
      const next = (id) => fetch(api + 'event/next', { headers: id ? { 'Lambda-Extension-Identifier': id } : {} });
      const typeOf = async (response) => response.status + ' ' + (await response.json()).errorType;
      const types = [
        await typeOf(await register({}, { events: ['INVOKE'] })),
        await typeOf(await register({ 'Lambda-Extension-Name': 'inside' }, { events: ['SHUTDOWN'] })),
        await typeOf(await register({ 'Lambda-Extension-Name': 'inside' }, { events: ['LUNCH'] })),
        await typeOf(await register({ 'Lambda-Extension-Name': 'inside' }, 1)),
      ];
      export const handler = async () => [
        ...types,
        await typeOf(await register({ 'Lambda-Extension-Name': 'late' }, { events: [] })),
        await typeOf(await next()),
        await typeOf(await next('x')),
        await typeOf(await next('2f6f6a3e-6c1f-4a57-9d5c-0b8f4d1e7a11')),
      ];`,
  });
  onTestFinished(local.close);
  expect(resultOf(await local.invoke('Internal'))).toEqual([
    '403 Extension.InvalidExtensionName',
    '403 Extension.InvalidEventType',
    '403 Extension.InvalidEventType',
    '403 Extension.InvalidRequestFormat',
    '403 Extension.RegistrationClosed',
    '403 Extension.MissingExtensionIdentifier',
    '403 Extension.InvalidExtensionIdentifier',
    '403 Extension.UnknownExtensionIdentifier',
  ]);
});

describe('a subscription to telemetry', () => {
  const body = { schemaVersion: '2022-12-13', types: ['platform'], destination: { protocol: 'TCP', port: 8080 } };
  const read = (change: object) => readSubscription(JSON.stringify({ ...body, ...change }));

  test('has limits of its own where it names them', () => {
    expect(read({ buffering: { timeoutMs: 25 } })).toEqual({
      kinds: ['platform'],
      maxItems: 10_000,
      maxBytes: 262_144,
      timeoutMs: 25,
      destination: { protocol: 'TCP', port: 8080 },
    });
    const http = read({ destination: { protocol: 'HTTP', URI: 'http://sandbox.localdomain:8080/path' } });
    expect(http?.destination).toMatchObject({ url: new URL('http://127.0.0.1:8080/path') });
  });

  test.each([
    { schemaVersion: '2020-01-01' },
    { types: ['lunch'] },
    { types: [] },
    { buffering: { maxItems: 1 } },
    { destination: { protocol: 'HTTP', URI: 'https://example.com' } },
    { destination: {} },
  ])('%j is invalid', (change) => {
    expect(read(change)).toBeUndefined();
  });

  test('may be any text', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void readSubscription(text)));
  });
});
