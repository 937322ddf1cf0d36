import { describe, expect, test } from 'vitest';
import { parseTemplate } from './template.ts';

const TEMPLATE = `
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: nodejs20.x, Handler: index.handler, CodeUri: .}}
Resources:
  Plain: {Type: AWS::Serverless::Function}
  Sam: {Type: AWS::Serverless::Function, Properties: {AutoPublishAlias: live}}
  Cdk: {Type: AWS::Lambda::Function, Properties: {FunctionName: cdk-name, Runtime: nodejs20.x, Handler: index.handler, Code: .}}
  CdkVersion: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Cdk}}
  CdkBlue: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !GetAtt Cdk.Arn, FunctionVersion: !GetAtt CdkVersion.Version, Name: blue}}
  CdkGreen: {Type: AWS::Lambda::Alias, Properties: {FunctionName: cdk-name, FunctionVersion: '1', Name: !Sub 'green-\${AWS::Region}'}}
`;

describe('the qualifiers of a function', () => {
  const { functions } = parseTemplate(TEMPLATE, '/app/template.yaml', {
    parameters: {},
    region: 'eu-west-1',
    accountId: '000000000000',
  });
  test.each([
    ['Plain', [], false],
    ['Sam', ['live'], true],
    ['Cdk', ['blue', 'green-eu-west-1'], true],
  ])('%s', (id, aliases, hasVersions) => {
    expect(functions.find(({ logicalId }) => logicalId === id)).toMatchObject({ aliases, hasVersions });
  });
});
