import { describe, expect, test } from 'vitest';
import { writeFiles } from '../testing/local-lambda.ts';
import { readTemplate } from './template.ts';

const OPTIONS = { parameters: {}, region: 'us-east-1', accountId: '000000000000' };

async function read(files: Readonly<Record<string, string>>, parameters: Readonly<Record<string, string>> = {}) {
  const dir = await writeFiles(files);
  return readTemplate(`${dir}/template.yaml`, { ...OPTIONS, parameters });
}

describe('a template', () => {
  test('includes local files, which may include others', async () => {
    const { functions, warnings } = await read({
      'template.yaml': `
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn::Transform: {Name: AWS::Include, Parameters: {Location: parts/more.yaml}}
  A: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, Runtime: nodejs20.x, Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://bucket/x'}}}}`,
      'parts/more.yaml': `
B:
  Type: AWS::Serverless::Function
  Properties:
    Handler: b.c
    Fn::Transform: {Name: AWS::Include, Parameters: {Location: parts/runtime.json}}`,
      'parts/runtime.json': '{"Runtime": "python3.12"}',
    });
    expect(functions.map(({ logicalId, runtime }) => [logicalId, runtime])).toEqual([
      ['B', 'python3.12'],
      ['A', 'nodejs20.x'],
    ]);
    expect(warnings).toEqual([`AWS::Include of "s3://bucket/x" cannot be read here; it is left out.`]);
  });

  test('that includes itself is rejected, and an included file that is missing is a warning', async () => {
    const including = (file: string) =>
      `Resources: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: ${file}}}}`;
    const resource = '\n  A: {Type: T}';
    const text = including('none.yaml').replace(/[{](Fn::Transform.*)[}]$/, '\n  $1') + resource;
    const { warnings } = await read({ 'template.yaml': text });
    expect(warnings).toEqual(['AWS::Include: none.yaml cannot be read; it is left out.']);
    await expect(read({ 'template.yaml': including('template.yaml') })).rejects.toThrow('without end');
  });

  test('repeats the fragment of a loop over a list or a parameter', async () => {
    const text = `
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters: {Names: {Type: CommaDelimitedList, Default: 'users,orders'}}
Resources:
  Fn::ForEach::Functions:
    - Name
    - !Ref Names
    - \${Name}Function:
        Type: AWS::Serverless::Function
        Properties: {Handler: !Sub '\${Name}.handler', Runtime: nodejs20.x, FunctionName: !Ref Name}
  Fn::ForEach::Stages:
    - Stage
    - [a-1, b-2]
    - 'Stage&{Stage}': {Type: AWS::Serverless::Function, Properties: {Handler: x.y, Runtime: nodejs20.x, MemorySize: 256}}`;
    const { functions } = await read({ 'template.yaml': text }, { Names: 'carts,bills' });
    expect(functions.map(({ logicalId, name, handler }) => [logicalId, name, handler])).toEqual([
      ['cartsFunction', 'carts', 'carts.handler'],
      ['billsFunction', 'bills', 'bills.handler'],
      ['Stagea1', 'Stagea1', 'x.y'],
      ['Stageb2', 'Stageb2', 'x.y'],
    ]);
    const { warnings } = await read({ 'template.yaml': 'Resources: {Fn::ForEach::F: [A, b, {}], R: {Type: T}}' });
    expect(warnings).toEqual(['Fn::ForEach::F takes an identifier, a list and a fragment; it is left out.']);
  });
});
