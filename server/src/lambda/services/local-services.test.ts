import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetFunctionCommand, InvokeCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListTopicsCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import {
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import { lambdaSegments } from '../testing/daemon.ts';
import { type LocalLambda, openLocalLambda, resultOf } from '../testing/local-lambda.ts';

const TEMPLATE = `
Globals: {Function: {Runtime: nodejs20.x, CodeUri: app, Timeout: 20, Tracing: Active}}
Resources:
  Orders: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 2, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}}}
  Dead: {Type: AWS::SQS::Queue}
  Failed: {Type: AWS::SQS::Queue, Properties: {QueueName: failed-events}}
  Records: {Type: AWS::SQS::Queue}
  News: {Type: AWS::SNS::Topic}
  Subscribed: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref News, Protocol: sqs, Endpoint: !GetAtt Records.Arn, RawMessageDelivery: true, FilterPolicy: {tier: [gold]}}}
  Env: {Type: AWS::Serverless::Function, Properties: {Handler: index.env, Environment: {Variables: {QUEUE_URL: !Ref Orders}}}}
  Consumer:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.consumer
      Events:
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, BatchSize: 5, MaximumBatchingWindowInSeconds: 2, FunctionResponseTypes: [ReportBatchItemFailures]}}
  Listener:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.consumer
      Events:
        Topic: {Type: SNS, Properties: {Topic: !Ref News}}
        Rule: {Type: EventBridgeRule, Properties: {Pattern: {source: [shop], detail: {amount: [{numeric: ['>', 10]}]}}}}
  Failing:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.failing
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Failed.Arn}
      EventInvokeConfig: {MaximumRetryAttempts: 1, DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Records.Arn}}}
  Succeeding:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.env
      EventInvokeConfig: {DestinationConfig: {OnSuccess: {Type: EventBridge, Destination: 'arn:aws:events:us-east-1:000000000000:event-bus/default'}}}
  Single: {Type: AWS::Serverless::Function, Properties: {Handler: index.slow, ReservedConcurrentExecutions: 1}}
`;

const CODE = `
exports.env = async () => Object.fromEntries(Object.entries(process.env).filter(([name]) => /^AWS_ENDPOINT|QUEUE_URL/.test(name)));
exports.consumer = async (event) => {
  console.log('GOT ' + JSON.stringify(event));
  return { batchItemFailures: (event.Records ?? []).filter(({ body }) => body === 'bad').map(({ messageId }) => ({ itemIdentifier: messageId })) };
};
exports.failing = async () => { throw new Error('never works'); };
exports.slow = () => new Promise((done) => setTimeout(done, 300, 'slow'));
`;

let local: LocalLambda;
let sqs: SQSClient;
let sns: SNSClient;
let events: EventBridgeClient;
let lambda: LambdaClient;
let queueUrl: string;

beforeAll(async () => {
  local = await openLocalLambda(
    { 'template.yaml': TEMPLATE, 'app/index.js': CODE },
    { retryDelaysMs: [0], throttleDelayMs: 50 },
  );
  const env = resultOf(await local.invoke('Env')) as Record<string, string>;
  queueUrl = env.QUEUE_URL ?? '';
  const common = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, maxAttempts: 1 };
  sqs = new SQSClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_SQS ?? '' });
  sns = new SNSClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_SNS ?? '' });
  events = new EventBridgeClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_EVENTBRIDGE ?? '' });
  lambda = new LambdaClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_LAMBDA ?? '' });
});
afterAll(async () => {
  for (const client of [sqs, sns, events, lambda]) client.destroy();
  await local.close();
});

/** Events that a function printed, the latest last. */
function got(functionName: string): readonly JsonObject[] {
  return local.logEvents
    .filter((line) => line.functionName === functionName && line.text.includes('GOT '))
    .map(({ text }) => JSON.parse(text.slice(text.indexOf('GOT ') + 4)) as JsonObject);
}

function records(functionName: string): readonly JsonObject[] {
  return got(functionName).flatMap(({ Records: all = [] }) => all as readonly JsonObject[]);
}

const PRODUCER = { root: '1-6650a080-3c4d5e6f708192a3b4c5d6e7', parent: '7c2e3f4a5b6c7d82' };
const TRACE_HEADER = `Root=${PRODUCER.root};Parent=${PRODUCER.parent};Sampled=1`;

function traced(value: string) {
  return { AWSTraceHeader: { DataType: 'String', StringValue: value } };
}

describe('a queue', () => {
  test('passes its messages to the function in batches; each batch has a trace that is linked to the producers', async () => {
    const MessageAttributes = { kind: { DataType: 'String', StringValue: 'order' } };
    const first = { MessageAttributes, MessageSystemAttributes: traced(TRACE_HEADER) };
    // One request: the batching window may end between two requests.
    await sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: [
          { Id: 'one', MessageBody: 'one', ...first },
          ...['two', 'three'].map((Id) => ({ Id, MessageBody: Id })),
        ],
      }),
    );
    await expect.poll(() => records('Consumer')).toHaveLength(3);
    expect(got('Consumer')).toHaveLength(1);
    expect(records('Consumer')[0]).toMatchObject({
      body: 'one',
      attributes: { AWSTraceHeader: TRACE_HEADER, ApproximateReceiveCount: '1' },
      messageAttributes: { kind: { dataType: 'String', stringValue: 'order' } },
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:Orders',
    });
    const service = await local.daemon.until((documents) =>
      documents.find(({ name, origin, end_time: end }) => name === 'Consumer' && origin === 'AWS::Lambda' && end),
    );
    expect(service.trace_id).not.toBe(PRODUCER.root);
    expect(service.links).toEqual([
      { trace_id: PRODUCER.root, id: PRODUCER.parent, attributes: { 'aws.xray.reserved.reference_type': 'parent' } },
    ]);
  });

  test('repeats failed messages, then sends them to its dead-letter queue', async () => {
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'bad' }));
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'fine' }));
    const dead = (await sqs.send(new GetQueueUrlCommand({ QueueName: 'Dead' }))).QueueUrl;
    const { Messages: messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: dead, WaitTimeSeconds: 20 }),
    );
    expect(messages.map(({ Body }) => Body)).toEqual(['bad']);
    expect(records('Consumer').filter(({ body }) => body === 'bad')).toHaveLength(2);
    expect(records('Consumer').filter(({ body }) => body === 'fine')).toHaveLength(1);
    await sqs.send(new DeleteMessageCommand({ QueueUrl: dead, ReceiptHandle: messages[0]?.ReceiptHandle }));
  });

  test('that is not in the template does not exist', async () => {
    await expect(sqs.send(new GetQueueUrlCommand({ QueueName: 'Unknown' }))).rejects.toMatchObject({
      name: 'QueueDoesNotExist',
    });
  });
});

describe('a topic', () => {
  test('notifies functions in the trace of the publisher, and queues by their filter', async () => {
    const publish = (tier: string) =>
      sns.send(
        new PublishCommand({
          TopicArn: 'arn:aws:sns:us-east-1:000000000000:News',
          Subject: 'hello',
          Message: `to ${tier} & <all>`,
          MessageAttributes: { tier: { DataType: 'String', StringValue: tier } },
        }),
      );
    await publish('silver');
    await publish('gold');
    const messages = () => records('Listener').map(({ Sns }) => (Sns as JsonObject).Message);
    await expect.poll(() => messages().sort()).toEqual(['to gold & <all>', 'to silver & <all>']);
    const queue = (await sqs.send(new GetQueueUrlCommand({ QueueName: 'Records' }))).QueueUrl;
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue, WaitTimeSeconds: 5 }));
    expect(Messages.map(({ Body }) => Body)).toEqual(['to gold & <all>']);
    await sqs.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle: Messages[0]?.ReceiptHandle }));
    await expect(
      sns.send(new PublishCommand({ TopicArn: 'arn:aws:sns:us-east-1:000000000000:No', Message: 'x' })),
    ).rejects.toThrow('Topic does not exist');
  });
});

describe('the event bus', () => {
  test('passes an event to the functions whose pattern it matches, in the trace of its sender', async () => {
    const entry = (amount: number) => ({
      Source: 'shop',
      DetailType: 'paid',
      Detail: JSON.stringify({ amount }),
      TraceHeader: TRACE_HEADER,
    });
    const answer = await events.send(new PutEventsCommand({ Entries: [entry(5), entry(50)] }));
    expect(answer.FailedEntryCount).toBe(0);
    await expect
      .poll(() => got('Listener').filter(({ source }) => source === 'shop'))
      .toMatchObject([{ 'detail-type': 'paid', detail: { amount: 50 } }]);
    const service = await local.daemon.until((documents) =>
      documents.find(
        ({ name, origin, trace_id: id }) => name === 'Listener' && origin === 'AWS::Lambda' && id === PRODUCER.root,
      ),
    );
    expect(service.parent_id).toBe(PRODUCER.parent);
  });
});

describe('an asynchronous event', () => {
  test('that fails goes to the dead-letter queue and to the destination of failures', async () => {
    const { requestId } = await local.invoke('Failing', { a: 1 }, { invocationType: 'Event' });
    await local.lambda.whenIdle();
    const receive = async (name: string) => {
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5, MessageAttributeNames: ['All'] }),
      );
      return Messages;
    };
    const [dead] = await receive('failed-events');
    expect(dead?.Body).toBe('{"a":1}');
    expect(dead?.MessageAttributes).toMatchObject({
      RequestID: { StringValue: requestId },
      ErrorCode: { DataType: 'Number', StringValue: '200' },
      ErrorMessage: { StringValue: 'never works' },
    });
    const [record] = await receive('Records');
    expect(JSON.parse(record?.Body ?? '')).toMatchObject({
      version: '1.0',
      requestContext: { requestId, condition: 'RetriesExhausted', approximateInvokeCount: 2 },
      requestPayload: { a: 1 },
      responseContext: { functionError: 'Unhandled' },
      responsePayload: { errorMessage: 'never works' },
    });
  });

  test('that was throttled runs when the concurrency allows it', async () => {
    const calls = await Promise.all([1, 2, 3].map(() => local.invoke('Single', {}, { invocationType: 'Event' })));
    await local.lambda.whenIdle();
    const statuses = await Promise.all(
      calls.map(async ({ requestId }) => {
        const segments = await local.daemon.until((documents) => lambdaSegments(documents, requestId));
        const attempts = (segments.service.subsegments as readonly JsonObject[]).filter(({ name }) =>
          String(name).startsWith('Attempt'),
        );
        return attempts.map(({ http }) => (http as { response: { status: number } }).response.status);
      }),
    );
    expect(statuses.map((list) => list.at(-1))).toEqual([200, 200, 200]);
    expect(statuses.flat()).toContain(429);
  });
});

test('an SDK inside of a function lists and describes functions, and gets an error for a missing qualifier', async () => {
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
  expect(Functions.map(({ FunctionName }) => FunctionName)).toContain('Consumer');
  const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: 'Env' }));
  expect(Configuration).toMatchObject({ FunctionName: 'Env', Version: '$LATEST' });
  await expect(lambda.send(new InvokeCommand({ FunctionName: 'Env', Qualifier: 'no' }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

test('lists of queues and topics have URLs of this server and ARNs', async () => {
  const { QueueUrls } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'Ord' }));
  expect(QueueUrls).toEqual([queueUrl]);
  const { Topics = [] } = await sns.send(new ListTopicsCommand({}));
  expect(Topics.map(({ TopicArn }) => TopicArn)).toContain('arn:aws:sns:us-east-1:000000000000:News');
});

test('functions call each other through the Invoke API in their environment', async () => {
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: 'Env' }));
  expect(JSON.parse(Buffer.from(Payload ?? []).toString())).toMatchObject({ QUEUE_URL: queueUrl });
});
