import { describe, expect, test } from 'vitest';
import { awsNameKey } from './aws-name-key.ts';
import { AWS_SERVICE_LINES } from './aws-services.ts';
import type { Entity } from './entity.ts';
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
  ['a service that no model has', aws('Frobnicator', { operation: 'X' }), 'Frobnicator', 'AWS::Frobnicator'],
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

describe('an AWS service has one name', () => {
  /** The names that the X-Ray SDKs for Python, JavaScript (2, 3), Java and .NET, and OpenTelemetry's SDKs send. */
  test.each<[string, readonly string[]]>([
    ['SecretsManager', ['secretsmanager', 'Secrets Manager', 'SecretsManager', 'AWSSecretsManager']],
    ['CloudWatchLogs', ['logs', 'CloudWatch Logs', 'CloudWatchLogs', 'AWSLogs', 'cloudwatchlogs']],
    ['CloudWatch', ['monitoring', 'CloudWatch', 'cloudwatch', 'AmazonCloudWatch']],
    ['BedrockRuntime', ['bedrock-runtime', 'Bedrock Runtime', 'BedrockRuntime', 'AmazonBedrockRuntime']],
    ['APIGateway', ['apigateway', 'API Gateway', 'APIGateway', 'ApiGatewayV2', 'AmazonApiGateway']],
    ['RDSData', ['rds-data', 'RDS Data', 'RDSDataService', 'rdsdataservice', 'AWSRDSData']],
    ['StepFunctions', ['states', 'SFN', 'Sfn', 'StepFunctions', 'AWSStepFunctions']],
    ['EventBridge', ['events', 'EventBridge', 'CloudWatch Events', 'CloudWatchEvents']],
    ['DynamoDB', ['dynamodb', 'DynamoDB', 'DynamoDb', 'AmazonDynamoDBv2', 'DynamoDBv2', 'DynamoDBClient']],
    ['DynamoDB', ['AWS::AmazonDynamoDBv2', 'AWS::DynamoDB', 'AWS::DynamoDBv2', 'AWS.SDK.DynamoDb']],
    ['KMS', ['AWS::AWSKMS', 'AWS::KMS', 'AWS.SDK.AmazonKMS']],
    ['SNS', ['sns', 'SNS', 'AmazonSNS', 'SimpleNotificationService']],
    ['SSM', ['ssm', 'SSM', 'AWSSimpleSystemsManagement', 'SimpleSystemsManagement']],
    ['STS', ['sts', 'STS', 'SecurityTokenService', 'AWSSecurityTokenService']],
    ['KMS', ['kms', 'KMS', 'AWSKMS', 'KeyManagementService']],
    ['SES', ['email', 'SES', 'SESv2', 'SimpleEmailService']],
    ['CognitoIdentityProvider', ['cognito-idp', 'Cognito Identity Provider', 'CognitoIdentityServiceProvider']],
    ['Firehose', ['firehose', 'Firehose', 'AmazonKinesisFirehose']],
    ['ConfigService', ['config', 'Config Service', 'ConfigServiceClient']],
    ['DirectoryService', ['ds', 'DirectoryServiceClient', 'Directory Service']],
  ])('%s', (shown, names) => {
    expect(names.map((name) => called(aws(name, { operation: 'X' }))[0])).toEqual(names.map(() => shown));
  });

  test('no name belongs to two services', () => {
    const keys = AWS_SERVICE_LINES.trim()
      .split('\n')
      .flatMap((line) => {
        const [name = '', ...aliases] = line.split(' ');
        return [awsNameKey(name), ...aliases];
      });
    expect(keys.length).toBeGreaterThan(400);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('a resource has one name, whether or not its caller names a type, too', () => {
    const [document] = received(
      aSegment({ subsegments: [aSubsegment(aws('SQS', { operation: 'SendMessage', queue_url: 'https://q/jobs' }))] }),
    );
    const call = document?.entities[1] as Entity;
    const callee = { name: 'jobs', type: 'AWS::SQS::Queue' };
    expect(calledService({ ...call, callee })).toEqual(calledService(call));
  });
});
