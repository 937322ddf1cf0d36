import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseTemplate } from './template.ts';

const OPTIONS = { parameters: {}, region: 'eu-west-1', accountId: '123456789012' };

function functionWith(arn: string, layers: Record<string, string> = {}, wrapper = '/opt/otel-handler') {
  const text = `
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      Layers: ['${arn}']
      Environment: {Variables: {AWS_LAMBDA_EXEC_WRAPPER: ${wrapper}, A: a}}`;
  return parseTemplate(text, '/project/template.yaml', { ...OPTIONS, layers }).functions[0];
}

const ARN = 'arn:aws:lambda:eu-west-1:1:layer:shared:7';

test.each([ARN, ARN.replace(':7', ''), 'shared'])('a layer has the folder that the user names for %s', (name) => {
  const spec = functionWith(ARN, { [name]: '/layers/shared' }, '/usr/bin/wrapper');
  expect(spec).toMatchObject({ layerDirs: ['/layers/shared'], warnings: [] });
  expect(spec?.environmentVariables.AWS_LAMBDA_EXEC_WRAPPER).toBe('/usr/bin/wrapper');
});

test.each([
  [
    '094274105915:layer:AWSLambdaPowertoolsTypeScriptV2:41',
    'is Powertools: install the packages @aws-lambda-powertools',
  ],
  ['017000801446:layer:AWSLambdaPowertoolsPythonV3-python312-x86_64:18', 'pip install "aws-lambda-powertools[all]"'],
  ['901920570463:layer:aws-otel-nodejs-amd64-ver-1-30-1:2', 'is OpenTelemetry (ADOT)'],
  ['615299751070:layer:AWSOpenTelemetryDistroJs:8', 'is OpenTelemetry (ADOT)'],
  ['580247275435:layer:LambdaInsightsExtension:53', 'is Lambda Insights'],
  ['015030872274:layer:AWS-Parameters-and-Secrets-Lambda-Extension:12', 'port 2773'],
])('the published layer %s is known by its name', (layer, remedy) => {
  const spec = functionWith(`arn:aws:lambda:eu-west-1:${layer}`, {}, '/usr/bin/wrapper');
  expect(spec?.warnings).toEqual([expect.stringContaining(remedy)]);
});

test('the wrapper of a layer without a folder is left out, with a warning', () => {
  const spec = functionWith(ARN);
  expect(spec?.environmentVariables).toEqual({ A: 'a' });
  expect(spec?.warnings[1]).toBe(
    'F: no layer has /opt/otel-handler; the function starts without AWS_LAMBDA_EXEC_WRAPPER.',
  );
});

test('the wrapper of a layer with a folder stays', () => {
  const dir = mkdtempSync(join(tmpdir(), 'openray-layer-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'bin'));
  writeFileSync(join(dir, 'bin/wrapper'), '');
  const spec = functionWith(ARN, { shared: dir }, '/opt/bin/wrapper');
  expect(spec?.environmentVariables.AWS_LAMBDA_EXEC_WRAPPER).toBe('/opt/bin/wrapper');
});
