import { expect, test } from 'vitest';
import type { JsonObject } from './json.ts';
import { calledService, nodeKey } from './service-names.ts';
import { aSegment, aSubsegment, received } from './testing/builders.ts';

function called(fields: JsonObject) {
  const [document] = received(aSegment({ subsegments: [aSubsegment(fields)] }));
  const call = document?.entities[1];
  if (call === undefined) throw new Error('no call');
  const { name, type } = calledService(call);
  return [name, type];
}

const aws = (name: string, parameters: JsonObject) => ({ name, namespace: 'aws', aws: parameters });

test.each<[string, JsonObject, string, string]>([
  ['a DynamoDB table', aws('DynamoDB', { operation: 'GetItem', table_name: 'carts' }), 'carts', 'AWS::DynamoDB::Table'],
  [
    'a table as Python names it',
    aws('dynamodb', { operation: 'GetItem', table_name: 'carts' }),
    'carts',
    'AWS::DynamoDB::Table',
  ],
  ['a bucket', aws('S3', { operation: 'PutObject', bucket_name: 'photos' }), 'photos', 'AWS::S3::Bucket'],
  ['a queue', aws('SQS', { operation: 'SendMessage', queue_url: 'https://q' }), 'https://q', 'AWS::SQS::Queue'],
  ['a topic', aws('SNS', { operation: 'Publish', topic_arn: 'arn:t' }), 'arn:t', 'AWS::SNS'],
  ['a function', aws('Lambda', { operation: 'Invoke', function_name: 'f' }), 'f', 'AWS::Lambda'],
  ['a table without an operation', aws('DynamoDB', { table_name: 'carts' }), 'DynamoDB', 'AWS::DynamoDB'],
  [
    'a table with an empty operation',
    aws('DynamoDB', { operation: '', table_name: 'carts' }),
    'DynamoDB',
    'AWS::DynamoDB',
  ],
  ['an operation without a table', aws('dynamodb', { operation: 'ListTables' }), 'DynamoDB', 'AWS::DynamoDB'],
  ['the event bus', aws('events', { operation: 'PutEvents' }), 'EventBridge', 'AWS::Events'],
  ['a parameter', aws('ssm', { operation: 'GetParameter' }), 'SSM', 'AWS::SimpleSystemsManagement'],
  ['a service without a canonical name', aws('Textract', { operation: 'X' }), 'Textract', 'AWS::Textract'],
  ['a host', { name: 'stock.example', namespace: 'remote' }, 'stock.example', 'remote'],
  ['a database', { name: 'orders@db', namespace: 'remote', sql: { url: 'x' } }, 'orders@db', 'Database::SQL'],
])('a call to %s', (_, fields, name, type) => {
  expect(called(fields)).toEqual([name, type]);
});

test('keys are different for different names, types and accounts, with any characters in a name', () => {
  const keys = [
    { name: 'a', type: undefined, accountId: undefined },
    { name: 'a', type: 'b', accountId: undefined },
    { name: 'a', type: undefined, accountId: 'b' },
    { name: 'a","b', type: undefined, accountId: undefined },
    { name: 'a', type: 'null', accountId: undefined },
  ].map(nodeKey);
  expect(new Set(keys).size).toBe(keys.length);
});
