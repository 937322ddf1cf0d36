import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EventBridgeClient, PutEventsCommand, PutRuleCommand } from '@aws-sdk/client-eventbridge';
import { GetFunctionCommand, InvokeCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { CreateTopicCommand, ListTopicsCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeFolder, startTestServer, type TestServer, temporaryFolder } from './support/server.ts';

const TEMPLATE = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders: {Type: AWS::SQS::Queue}
  News: {Type: AWS::SNS::Topic}
  NewsToOrders: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref News, Protocol: sqs, Endpoint: !GetAtt Orders.Arn, RawMessageDelivery: true}}
  Paid: {Type: AWS::Events::Rule, Properties: {EventPattern: {source: [shop]}, Targets: [{Id: q, Arn: !GetAtt Orders.Arn, InputPath: $.detail}]}}
  Fn: {Type: AWS::Serverless::Function, Properties: {InlineCode: 'exports.handler = async () => 7', Handler: index.handler, Runtime: nodejs20.x, Timeout: 60}}
`;

let folder: string;
let server: TestServer;
let withoutTemplate: TestServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder, 'template.yaml'), TEMPLATE);
  server = await startTestServer(['--template', join(folder, 'template.yaml')]);
  withoutTemplate = await startTestServer();
});

afterAll(async () => {
  for (const each of [server, withoutTemplate]) {
    await each.stop();
    await removeFolder(each.dataDir);
  }
  await removeFolder(folder);
});

const options = (endpoint: string) => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
});

test('clients of SQS, SNS and EventBridge reach the queues, topics and rules of the template on the main port', async () => {
  const sqs = new SQSClient(options(server.url));
  const sns = new SNSClient(options(server.url));
  const events = new EventBridgeClient(options(server.url));
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'Orders' }));
  expect(QueueUrl).toBe(`${server.url}/000000000000/Orders`);
  const received = async () => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    return Messages.map(({ Body }) => Body);
  };
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'from SQS' }));
  expect(await received()).toEqual(['from SQS']);
  const { Topics = [] } = await sns.send(new ListTopicsCommand({}));
  await sns.send(new PublishCommand({ TopicArn: Topics[0]?.TopicArn, Message: 'from SNS' }));
  expect(await received()).toEqual(['from SNS']);
  await events.send(new PutEventsCommand({ Entries: [{ Source: 'shop', DetailType: 'paid', Detail: '{"n":1}' }] }));
  expect(await received()).toEqual(['{"n":1}']);
});

test('a client may post to the URL of a queue', async () => {
  const sqs = new SQSClient({ ...options(`${server.url}/000000000000/Orders`), useQueueUrlAsEndpoint: true });
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'Orders' }));
  expect(QueueUrl).toBe(`${server.url}/000000000000/Orders`);
});

test.each(['/2015-03-31/functions', '/2015-03-31/functions/'])('ListFunctions answers at %s', async (path) => {
  const response = await fetch(server.url + path);
  expect(await response.json()).toMatchObject({ Functions: [{ FunctionName: 'Fn' }] });
});

test('the AWS SDK lists functions; a missing alias is ResourceNotFoundException', async () => {
  const lambda = new LambdaClient(options(server.url));
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
  expect(Functions.map(({ FunctionName }) => FunctionName)).toEqual(['Fn']);
  await expect(lambda.send(new InvokeCommand({ FunctionName: 'Fn', Qualifier: 'live' }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

test('without a template, each client gets a sentence that it can read', async () => {
  const sqs = new SQSClient(options(withoutTemplate.url));
  const sns = new SNSClient(options(withoutTemplate.url));
  const sentence = 'this server runs no functions; start openray with --template template.yaml';
  await expect(sqs.send(new GetQueueUrlCommand({ QueueName: 'Orders' }))).rejects.toThrow(sentence);
  await expect(sns.send(new ListTopicsCommand({}))).rejects.toThrow(sentence);
});

test('a POST that names no service is an unknown operation, and a page of another site is refused', async () => {
  const plain = await fetch(server.url, { method: 'POST', body: '{}' });
  expect([plain.status, await plain.json()]).toMatchObject([404, { __type: 'UnknownOperationException' }]);
  const headers = { origin: 'http://evil.example', 'x-amz-target': 'AmazonSQS.ListQueues' };
  expect((await fetch(server.url, { method: 'POST', headers, body: '{}' })).status).toBe(403);
});

test('a call from outside that concerns nothing in the template is refused, with the flags that hand such calls on', async () => {
  const sqs = new SQSClient(options(server.url));
  const sns = new SNSClient(options(server.url));
  const events = new EventBridgeClient(options(server.url));
  const lambda = new LambdaClient(options(server.url));
  const TopicArn = 'arn:aws:sns:us-east-1:000000000000:Foreign';
  const entry = { Source: 'shop', DetailType: 'paid', Detail: '{}', EventBusName: 'Foreign' };
  const calls = {
    Invoke: () => lambda.send(new InvokeCommand({ FunctionName: 'Foreign' })),
    GetFunction: () => lambda.send(new GetFunctionCommand({ FunctionName: 'Foreign' })),
    GetQueueUrl: () => sqs.send(new GetQueueUrlCommand({ QueueName: 'Foreign' })),
    CreateQueue: () => sqs.send(new CreateQueueCommand({ QueueName: 'Foreign' })),
    Publish: () => sns.send(new PublishCommand({ TopicArn, Message: 'a' })),
    CreateTopic: () => sns.send(new CreateTopicCommand({ Name: 'Foreign' })),
    PutEvents: () => events.send(new PutEventsCommand({ Entries: [entry] })),
    PutRule: () => events.send(new PutRuleCommand({ Name: 'Foreign' })),
  };
  for (const [name, call] of Object.entries(calls)) {
    const message = await call().then(
      () => 'no error',
      (error: Error) => error.message,
    );
    expect([name, message]).toEqual([name, expect.stringContaining('With --aws passthrough or --aws-endpoint URL')]);
  }
});
