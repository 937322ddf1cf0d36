import { spawn } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { type Openray, startOpenray } from 'openray/testing';
import 'openray/testing/vitest';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { cleanEnvironment, runOpenray } from '../scripts/openray.ts';
import { removeFolder, temporaryFolder } from './support/server.ts';
import { eventually, waitFor } from './support/wait.ts';

const PROGRAM = new URL('../server/bin/openray.cjs', import.meta.url).pathname;
const FIXTURES = new URL('../fixtures/templates', import.meta.url).pathname;

let openray: Openray;
const folders: string[] = [];

beforeAll(async () => {
  openray = await startOpenray();
});
afterAll(async () => {
  await openray.close();
  for (const folder of folders) await removeFolder(folder);
});

/** A copy, since functions may write beside their code. */
async function copyOf(name: string): Promise<string> {
  const folder = await temporaryFolder();
  folders.push(folder);
  await cp(join(FIXTURES, name), folder, { recursive: true });
  return folder;
}

const environment = () => ({ OPENRAY_PORT: new URL(openray.url).port });

/** Starts `openray start-api` in a folder, where it finds the template. */
async function startApi(cwd: string) {
  const child = spawn(process.execPath, [PROGRAM, 'start-api', '--port', '0'], {
    cwd,
    env: cleanEnvironment(environment()),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await waitFor('the end', () => child.exitCode ?? undefined);
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (printed += String(bytes)));
  const url = await waitFor('the URL', () => /answers at (http:\/\/127\.0\.0\.1:\d+)/.exec(printed)?.[1]);
  return { url, printed: () => printed };
}

describe('a synthesised CDK application', () => {
  test('serves its APIs, calls its authorizer, and delivers the order through its queue, all in traces', async () => {
    const { url, printed } = await startApi(await copyOf('cdk'));
    const post = (path: string, headers = {}) =>
      fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify({ item: path }) });
    expect((await post('/v1/orders')).status).toBe(401);
    const answer = await post('/v1/orders', { authorization: 'brian1' });
    expect([answer.status, await answer.json()]).toEqual([202, expect.objectContaining({ by: 'brian1' })]);
    await waitFor('the order', () => /shipped \/v1\/orders/.exec(printed())?.[0]);

    const ordered = await eventually(async () => {
      const trace = await openray.waitForTrace('service("shop/v1") AND http.status = 202');
      expect(trace).toHaveSegment('shop/v1', { origin: 'AWS::ApiGateway::Stage', status: 202 });
      expect(trace).toCall('shop/v1', 'AuthorizerBD825682');
      expect(trace).toCall('shop/v1', 'TakeOrder4A6690BC');
      return trace;
    });
    const shipped = await openray.waitForTrace('service("ShipC2EE6D16")');
    expect(shipped.id).not.toBe(ordered.id);
    expect(shipped).toBeOk();

    expect((await post('/web/orders')).status).toBe(202);
    const preflight = await fetch(`${url}/v1/orders`, { method: 'OPTIONS', headers: { origin: 'http://localhost' } });
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
  });

  test('runs its functions by their names in the application', async () => {
    const cwd = await copyOf('cdk');
    const { stdout, stderr } = await runOpenray(['invoke', 'TakeOrder', '--event', '{"body":"{}"}'], {
      cwd,
      env: environment(),
    });
    expect(JSON.parse(stdout), stderr).toMatchObject({ statusCode: 202 });
    const trace = await openray.waitForTrace(/XRAY TraceId: (\S+)/.exec(stderr)?.[1] ?? '');
    expect(trace).toHaveSegment('TakeOrder4A6690BC', { origin: 'AWS::Lambda::Function' });
    const scheduled = await runOpenray(['invoke', 'Ship', '--schedule'], { cwd, env: environment() });
    expect(JSON.parse(scheduled.stdout)).toEqual({ batchItemFailures: [] });
  });
});

describe('a compiled Serverless Framework service', () => {
  test('serves its APIs, calls its authorizer, and notifies the subscriber of its topic, in one trace', async () => {
    const { url, printed } = await startApi(await copyOf('serverless'));
    const get = (path: string, headers = {}) => fetch(`${url}${path}`, { headers });
    expect((await get('/dev/hello/brian')).status).toBe(401);
    expect((await get('/dev/hello/brian', { 'X-Key': 'wrong' })).status).toBe(401);
    const answer = await get('/dev/hello/brian', { 'X-Key': 'key' });
    expect(await answer.json()).toEqual({ hello: 'brian', by: 'key' });
    await waitFor('the notification', () => /heard brian/.exec(printed())?.[0]);
    expect(await (await get('/plain/dan')).json()).toEqual({ hello: 'dan' });
    const preflight = await fetch(`${url}/dev/hello/x`, { method: 'OPTIONS' });
    expect(preflight.headers.get('access-control-allow-methods')).toBe('OPTIONS,GET');

    await eventually(async () => {
      const trace = await openray.waitForTrace('service("shop-dev-hello") AND service("shop-dev-listen")');
      expect(trace).toHaveSegment('shop-dev-listen', { origin: 'AWS::Lambda::Function' });
      expect(trace).toHaveSubsegment('Attempt #1', { status: 200 });
      expect(trace).toBeOk();
    });
  });

  test('runs a function by its name in the service, from its source folder', async () => {
    const event = '{"pathParameters":{"name":"cli"},"requestContext":{}}';
    const { stdout, stderr } = await runOpenray(['invoke', 'hello', '--event', event], {
      cwd: await copyOf('serverless'),
      env: environment(),
    });
    expect(JSON.parse(stdout), stderr).toEqual({ statusCode: 200, body: '{"hello":"cli"}' });
  });
});
