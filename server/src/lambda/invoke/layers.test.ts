import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalLambda, openLocalLambda, resultOf } from '../testing/local-lambda.ts';

const properties = (runtime: string, more: string) =>
  `{CodeUri: app, Handler: index.handler, Timeout: 20, Runtime: ${runtime}, Layers: [!Ref First, !Ref Second]${more}}`;
const WRAPPED = ', Environment: {Variables: {AWS_LAMBDA_EXEC_WRAPPER: /opt/wrap}}';

const TEMPLATE = `
Resources:
  First: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: first}}
  Second: {Type: AWS::Lambda::LayerVersion, Properties: {Content: second}}
  Node: {Type: AWS::Serverless::Function, Properties: ${properties('nodejs20.x', '')}}
  Python: {Type: AWS::Serverless::Function, Properties: ${properties('python3.11', '')}}
  WrappedNode: {Type: AWS::Serverless::Function, Properties: ${properties('nodejs20.x', WRAPPED)}}
  WrappedPython: {Type: AWS::Serverless::Function, Properties: ${properties('python3.11', WRAPPED)}}
  Lost: {Type: AWS::Serverless::Function, Properties: ${properties('nodejs20.x', WRAPPED.replace('wrap', 'nothing'))}}
  Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Node, FunctionVersion: $LATEST, Name: live}}
  Caller:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: app, Handler: caller.handler, Runtime: nodejs20.x, Timeout: 20, Environment: {Variables: {TARGET: !Ref Live}}}
`;

let local: LocalLambda;

beforeAll(async () => {
  local = await openLocalLambda({
    'template.yaml': TEMPLATE,
    'first/nodejs/node_modules/greeting/index.js': `exports.word = 'from the first layer';`,
    'first/python/greeting.py': `WORD = 'from the first layer'\n`,
    'second/wrap': `#!/bin/sh\nexport WRAPPED="by $(basename "$0")"\nexec "$@"\n`,
    'app/index.js': `exports.handler = async () => [require('greeting').word, process.env.WRAPPED ?? null];`,
    'app/index.py': `import greeting, os\ndef handler(event, context): return [greeting.WORD, os.environ.get('WRAPPED')]\n`,
    'app/caller.js': `
      exports.handler = async () => {
        const url = process.env.AWS_ENDPOINT_URL_LAMBDA + '/2015-03-31/functions/' + encodeURIComponent(process.env.TARGET) + '/invocations';
        return { target: process.env.TARGET, result: await (await fetch(url, { method: 'POST', body: '{}' })).json() };
      };`,
  });
  await chmod(join(local.dir, 'second/wrap'), 0o755);
});
afterAll(() => local.close());

test.each([
  ['Node', null],
  ['Python', null],
  ['WrappedNode', 'by wrap'],
  ['WrappedPython', 'by wrap'],
])('%s finds the code of its layers, and is started by their wrapper', async (name, wrapped) => {
  expect(resultOf(await local.invoke(name))).toEqual(['from the first layer', wrapped]);
});

test('a missing wrapper fails the start', async () => {
  expect(resultOf(await local.invoke('Lost'))).toMatchObject({
    errorType: 'Runtime.ExitError',
    errorMessage: expect.stringContaining('exit status 127'),
  });
});

test('an alias invokes the function under its qualified ARN', async () => {
  expect(resultOf(await local.invoke('Caller'))).toEqual({
    target: 'arn:aws:lambda:us-east-1:000000000000:function:Node:live',
    result: ['from the first layer', null],
  });
});

test('a layer that sam build has built is used instead of its source', async () => {
  const template = (layer: string, code: string) => `
Resources:
  Common:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: nodejs22.x}
    Properties: {ContentUri: ${layer}}
  F:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs22.x, Handler: app.handler, CodeUri: ${code}, Timeout: 20, Layers: [!Ref Common]}`;
  const code = `exports.handler = async () => require('shared');`;
  const local = await openLocalLambda({
    'template.yaml': template('common', 'app'),
    'app/app.js': code,
    'common/package.json': '{"dependencies":{"shared":"1"}}',
    '.aws-sam/build/template.yaml': template('Common', 'F'),
    '.aws-sam/build/F/app.js': code,
    '.aws-sam/build/Common/nodejs/node_modules/shared/index.js': `module.exports = 'built';`,
  });
  try {
    expect(resultOf(await local.invoke('F'))).toBe('built');
  } finally {
    await local.close();
  }
});

test('the packages beside the source of a layer are found without a build', async () => {
  const local = await openLocalLambda({
    'template.yaml': `
Resources:
  Common:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.12}
    Properties: {ContentUri: common}
  F:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, Handler: app.handler, CodeUri: app, Timeout: 20, Layers: [!Ref Common]}`,
    'app/app.py': 'import shared\ndef handler(event, context): return shared.NAME',
    'common/shared.py': 'NAME = "source"',
  });
  try {
    expect(resultOf(await local.invoke('F'))).toBe('source');
  } finally {
    await local.close();
  }
});
