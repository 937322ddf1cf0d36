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

test('a function of the name __proto__ has aliases, and a broken alias is a warning', () => {
  const template = `
Resources:
  __proto__: {Type: AWS::Lambda::Function, Properties: {Runtime: nodejs20.x, Handler: index.handler, Code: .}}
  Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref __proto__, Name: live}}
  Nameless: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref __proto__, Name: !Join text}}
  Lost: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Join text, Name: lost}}
`;
  const { functions, warnings } = parseTemplate(template, '/app/template.yaml', {
    parameters: {},
    region: 'eu-west-1',
    accountId: '000000000000',
  });
  expect(functions).toMatchObject([{ logicalId: '__proto__', aliases: ['live'], unsupportedReason: undefined }]);
  expect(warnings).toEqual([
    'Nameless: Fn::Join takes a list of 2 or more; it is empty.',
    'Lost: Fn::Join takes a list of 2 or more; it is empty.',
  ]);
});
