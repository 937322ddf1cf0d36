import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Openray, startOpenray } from 'openray/testing';
import 'openray/testing/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { removeFolder, temporaryFolder } from './support/server.ts';

/** The compiled part of the package in plain JavaScript, since the package is installed without a compiler. */
const NATIVE = `
const { request } = require('node:http');
const Module = require('node:module');
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const call = (method, path, body, headers = {}) => new Promise((done) => {
  const outgoing = request({ host, port, method, path: '/2018-06-01/runtime/invocation/' + path, headers }, (incoming) => {
    let text = '';
    incoming.on('data', (chunk) => { text += chunk; });
    incoming.on('end', () => done({ bodyJson: text, headers: incoming.headers }));
  });
  outgoing.end(body);
});
let last = Promise.resolve();
const client = {
  initializeClient() {},
  next: async () => { await last; return call('GET', 'next'); },
  done(id, body) { last = call('POST', id + '/response', body); },
  error(id, body, cause) {
    last = call('POST', id + '/error', body, { 'lambda-runtime-function-xray-error-cause': cause });
  },
};
const load = Module._load;
Module._load = (name, ...rest) => (name.endsWith('rapid-client.node') ? client : load(name, ...rest));
`;

const TEMPLATE = `
Resources:
  Official: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: index.handler, Runtime: provided.al2023, Timeout: 60, Tracing: Active}}
`;

/** A folder of its own, since the install script of the package needs a compiler and build tools. */
const CLIENT = join(import.meta.dirname, '../node_modules/.cache/aws-lambda-ric');
const PROGRAM = join(CLIENT, 'node_modules/aws-lambda-ric/bin/index.mjs');

function prepareClient(): boolean {
  if (existsSync(PROGRAM)) return true;
  const flags = ['--prefix', CLIENT, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  return spawnSync('npm', ['install', ...flags, 'aws-lambda-ric@3.3.0'], { stdio: 'ignore' }).status === 0;
}

const isInstalled = prepareClient();
if (!isInstalled)
  process.stderr.write('The official runtime client is not tested: npm cannot install aws-lambda-ric\n');

describe.skipIf(!isInstalled)("Lambda's own runtime client for Node, unmodified", () => {
  let folder: string;
  let openray: Openray;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const files = {
      'template.yaml': TEMPLATE,
      'native.cjs': NATIVE,
      'index.js': `
        exports.handler = async (event, context) => {
          console.log('hello from', context.functionName);
          if (event.fails) throw new TypeError('as asked');
          return { header: process.env._X_AMZN_TRACE_ID, left: context.getRemainingTimeInMillis() };
        };`,
      bootstrap: `#!/bin/sh\nexec '${process.execPath}' --require ./native.cjs '${PROGRAM}' "$_HANDLER"\n`,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await chmod(join(folder, 'bootstrap'), 0o755);
    openray = await startOpenray({ template: join(folder, 'template.yaml') });
  });
  afterAll(async () => {
    await openray.close();
    await removeFolder(folder);
  });

  test('runs one invocation after the other, each with its own trace', async () => {
    for (let i = 0; i < 3; i++) {
      const { result, log, traceId, trace } = await openray.invoke<{ header: string; left: number }>('Official');
      expect(result.header).toMatch(new RegExp(`^Root=${traceId};Parent=[0-9a-f]{16};Sampled=1$`));
      // Milliseconds up to the deadline, of 60 seconds.
      expect(result.left).toBeGreaterThan(60);
      expect(result.left).toBeLessThanOrEqual(60_000);
      expect(log).toContain('\tINFO\thello from Official');
      expect(await trace()).toBeOk();
    }
  });

  test('reports a failure with its cause', async () => {
    const { result, functionError, trace } = await openray.invoke('Official', { fails: true });
    expect(functionError).toBe('Unhandled');
    expect(result).toMatchObject({ errorType: 'TypeError', errorMessage: 'as asked' });
    expect(await trace()).toHaveFault('TypeError: as asked');
  });
});
