import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeFiles } from '../testing/local-lambda.ts';
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

test.each([
  ['src/app.py', 'src'],
  ['src/app.mjs', 'src'],
  ['src/app.ts', 'src'],
  ['src/app.zip', 'src/app.zip'],
  ['src/none.py', 'src/none.py'],
  ['dir.py', 'dir.py'],
])('the CodeUri %s is the folder %s', async (codeUri, folder) => {
  const dir = await writeFiles({
    'src/app.py': '',
    'src/app.mjs': '',
    'src/app.ts': '',
    'src/app.zip': '',
    'dir.py/a': '',
  });
  const text = `
Resources:
  F: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.12, Handler: app.main, CodeUri: ${codeUri}}}`;
  expect(parseTemplate(text, join(dir, 'template.yaml'), OPTIONS).functions[0]?.codeDir).toBe(join(dir, folder));
});

test.each([
  ['AWS::SSM::Parameter::Value<String>', '/shop/host', true],
  ['AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>', '/aws/service/ami', false],
  ['String', '/shop/host', false],
])('a parameter of type %s with the default %s gives a warning: %s', (type, value, hasWarning) => {
  const text = `
Parameters: {Host: {Type: '${type}', Default: ${value}}}
Resources: {F: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.12, Handler: app.main}}}`;
  const warning = `The parameter Host is in the Parameter Store; its name ${value} is used. Give its value with --parameter-overrides.`;
  expect(parseTemplate(text, '/project/template.yaml', OPTIONS).warnings).toEqual(hasWarning ? [warning] : []);
  const given = { ...OPTIONS, parameters: { Host: 'db.example.com' } };
  expect(parseTemplate(text, '/project/template.yaml', given).warnings).toEqual([]);
});

test.each([
  ['python3.12', true],
  ['nodejs22.x', true],
  ['makefile', false],
  ['', false],
])('the folder of a layer with BuildMethod %s is the source of its packages: %s', (method, isSource) => {
  const text = `
Resources:
  Common:
    Type: AWS::Serverless::LayerVersion
    Metadata: ${method === '' ? '{}' : `{BuildMethod: ${method}}`}
    Properties: {ContentUri: common}
  F: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.12, Handler: a.b, Layers: [!Ref Common]}}`;
  const [spec] = parseTemplate(text, '/project/template.yaml', OPTIONS).functions;
  expect(spec).toMatchObject({
    layerDirs: ['/project/common'],
    layerSourceDirs: isSource ? ['/project/common'] : [],
  });
});
