import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetFunctionCommand, LambdaClient, ListFunctionsCommand, paginateListFunctions } from '@aws-sdk/client-lambda';
import { PublishBatchCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalLambda, openLocalLambda, resultOf } from '../testing/local-lambda.ts';

const FUNCTION = (id: string, more = '') =>
  `  ${id}: {Type: AWS::Serverless::Function, Properties: {Handler: index.env, Runtime: nodejs20.x, CodeUri: app${more}}}`;
const TEMPLATE = `
Resources:
  Orders: {Type: AWS::SQS::Queue, Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}}}
  Dead: {Type: AWS::SQS::Queue}
  Later: {Type: AWS::SQS::Queue}
  Ordered: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  News: {Type: AWS::SNS::Topic}
  OrderedNews: {Type: AWS::SNS::Topic, Properties: {FifoTopic: true}}
${FUNCTION('Env', ', ReservedConcurrentExecutions: 2')}
${['A', 'B', 'C'].map((id) => FUNCTION(id)).join('\n')}
`;
const CODE = 'exports.env = async () => process.env.AWS_ENDPOINT_URL_SQS;';
const MISSING = 'http://127.0.0.1/000000000000/Missing';
const TOPIC = 'arn:aws:sns:us-east-1:000000000000:News';

let local: LocalLambda;
let endpoint: string;
let sqs: SQSClient;
let sns: SNSClient;
let events: EventBridgeClient;
let lambda: LambdaClient;
let QueueUrl: string;

beforeAll(async () => {
  local = await openLocalLambda({ 'template.yaml': TEMPLATE, 'app/index.js': CODE });
  endpoint = String(resultOf(await local.invoke('Env')));
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const options = { endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
  sqs = new SQSClient(options);
  sns = new SNSClient(options);
  events = new EventBridgeClient(options);
  lambda = new LambdaClient(options);
  QueueUrl = (await sqs.send(new GetQueueUrlCommand({ QueueName: 'Orders' }))).QueueUrl ?? '';
});
afterAll(() => local.close());

const failed = (call: Promise<unknown>) =>
  call.then(
    () => 'no error',
    ({ name, message }: Error) => `${name}: ${message}`,
  );

describe('SQS refuses', () => {
  const entry = { Id: 'a', MessageBody: 'x' };
  test.each<readonly [string, () => Promise<unknown>, string]>([
    [
      'an operation that openray lacks',
      () => sqs.send(new CreateQueueCommand({ QueueName: 'New' })),
      'UnsupportedOperation: ',
    ],
    ['a queue that is missing', () => sqs.send(new PurgeQueueCommand({ QueueUrl: MISSING })), 'QueueDoesNotExist: '],
    [
      'the name of a queue that is missing',
      () => sqs.send(new GetQueueUrlCommand({ QueueName: 'No' })),
      'QueueDoesNotExist: ',
    ],
    [
      'an empty body, before it looks for the queue',
      () => sqs.send(new SendMessageCommand({ QueueUrl: MISSING, MessageBody: '' })),
      'MissingParameter: The request must contain the parameter MessageBody.',
    ],
    [
      'an empty URL',
      () => sqs.send(new PurgeQueueCommand({ QueueUrl: '' })),
      'MissingParameter: The request must contain the parameter QueueUrl.',
    ],
    [
      'a delay above 900 seconds',
      () => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x', DelaySeconds: 901 })),
      'InvalidParameterValue: Value 901 for parameter DelaySeconds is invalid. Reason: Must be between 0 and 900, if provided.',
    ],
    [
      'a body above one MiB',
      () => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(1024 * 1024 + 1) })),
      'InvalidParameterValue: One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.',
    ],
    [
      'eleven messages at once',
      () => sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 11 })),
      'InvalidParameterValue: Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.',
    ],
    [
      'a wait of 21 seconds',
      () => sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 21 })),
      'InvalidParameterValue: Value 21 for parameter WaitTimeSeconds',
    ],
    [
      'a handle that it did not give',
      () => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: 'x' })),
      'ReceiptHandleIsInvalid: The input receipt handle "x" is not a valid receipt handle.',
    ],
    [
      'a visibility above twelve hours',
      () =>
        sqs.send(
          new ChangeMessageVisibilityCommand({
            QueueUrl,
            ReceiptHandle: crypto.randomUUID(),
            VisibilityTimeout: 43_201,
          }),
        ),
      'InvalidParameterValue: Value 43201 for parameter VisibilityTimeout',
    ],
    [
      'an empty batch',
      () => sqs.send(new SendMessageBatchCommand({ QueueUrl: MISSING, Entries: [] })),
      'EmptyBatchRequest: There should be at least one SendMessageBatchRequestEntry in the request.',
    ],
    [
      'a batch of eleven',
      () =>
        sqs.send(
          new SendMessageBatchCommand({
            QueueUrl,
            Entries: Array.from({ length: 11 }, (_, i) => ({ ...entry, Id: `${i}` })),
          }),
        ),
      'TooManyEntriesInBatchRequest: Maximum number of entries per request are 10. You have sent 11.',
    ],
    [
      'a batch with one id twice',
      () => sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [entry, entry] })),
      'BatchEntryIdsNotDistinct: Id a repeated.',
    ],
    [
      'a batch with an invalid id',
      () => sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [{ ...entry, Id: 'a b' }] })),
      'InvalidBatchEntryId: ',
    ],
    [
      'a batch above one MiB',
      () =>
        sqs.send(
          new SendMessageBatchCommand({
            QueueUrl,
            Entries: ['a', 'b'].map((Id) => ({ Id, MessageBody: 'x'.repeat(600_000) })),
          }),
        ),
      'BatchRequestTooLong: ',
    ],
  ])('%s', async (_what, call, error) => {
    expect(await failed(call())).toContain(error);
  });

  test.each([
    ['SendMessages', '{}', 'com.amazon.coral.service#UnknownOperationException', null],
    ['SendMessages', 'not JSON', 'com.amazon.coral.service#UnknownOperationException', null],
    ['SendMessage', 'not JSON', 'com.amazon.coral.service#SerializationException', null],
    ['SendMessage', '[]', 'com.amazon.coral.service#SerializationException', null],
    ['SendMessage', '{"QueueUrl": 5}', 'com.amazonaws.sqs#InvalidParameterValue', 'InvalidParameterValue;Sender'],
    ['SendMessage', '{}', 'com.amazonaws.sqs#MissingParameter', 'MissingParameter;Sender'],
    [
      'PurgeQueue',
      JSON.stringify({ QueueUrl: MISSING }),
      'com.amazonaws.sqs#QueueDoesNotExist',
      'AWS.SimpleQueueService.NonExistentQueue;Sender',
    ],
  ])('in the JSON protocol, with the name of the older one: %s %s', async (operation, body, type, older) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      body,
      headers: { 'x-amz-target': `AmazonSQS.${operation}` },
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('x-amzn-query-error')).toBe(older);
    expect(await response.json()).toMatchObject({ __type: type });
  });
});

test('SQS: an invalid entry of a batch fails alone', async () => {
  const { Successful = [], Failed = [] } = await sqs.send(
    new SendMessageBatchCommand({
      QueueUrl,
      Entries: [
        { Id: 'good', MessageBody: 'x' },
        { Id: 'empty', MessageBody: '' },
        { Id: 'late', MessageBody: 'x', DelaySeconds: 1000 },
      ],
    }),
  );
  expect(Successful.map(({ Id }) => Id)).toEqual(['good']);
  expect(Failed).toMatchObject([
    { Id: 'empty', SenderFault: true, Code: 'MissingParameter' },
    { Id: 'late', SenderFault: true, Code: 'InvalidParameterValue' },
  ]);
  const Entries = [
    { Id: 'old', ReceiptHandle: crypto.randomUUID() },
    { Id: 'bad', ReceiptHandle: 'x' },
  ];
  const deleted = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  expect(deleted).toMatchObject({
    Successful: [{ Id: 'old' }],
    Failed: [{ Id: 'bad', Code: 'ReceiptHandleIsInvalid' }],
  });
});

test('SQS: a queue has the attributes that the client asks for', async () => {
  const attributesOf = async (...AttributeNames: ('All' | 'QueueArn' | 'RedrivePolicy')[]) =>
    (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }))).Attributes;
  const QueueArn = 'arn:aws:sqs:us-east-1:000000000000:Orders';
  expect(await attributesOf()).toBeUndefined();
  expect(await attributesOf('QueueArn')).toEqual({ QueueArn });
  const redrive = { deadLetterTargetArn: QueueArn.replace('Orders', 'Dead'), maxReceiveCount: 3 };
  expect(await attributesOf('All')).toMatchObject({ QueueArn, RedrivePolicy: JSON.stringify(redrive) });
});

test('SQS: a message has the attributes that the client asks for', async () => {
  const { QueueUrl: queue } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'Later' }));
  const text = (StringValue: string) => ({ DataType: 'String', StringValue });
  const MessageAttributes = { tier: text('gold'), 'order.id': text('7'), 'order.kind': text('a') };
  await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: 'x', MessageAttributes }));
  const received = async (asked: Partial<ReceiveMessageCommandInput>) => {
    const input = { QueueUrl: queue, VisibilityTimeout: 0, ...asked };
    const { Messages: [message] = [] } = await sqs.send(new ReceiveMessageCommand(input));
    return [message?.Attributes, message?.MessageAttributes].map((map) => map && Object.keys(map).toSorted());
  };
  expect(await received({})).toEqual([undefined, undefined]);
  expect(await received({ MessageSystemAttributeNames: ['SenderId'] })).toEqual([['SenderId'], undefined]);
  expect(await received({ AttributeNames: ['All'] })).toEqual([expect.arrayContaining(['SentTimestamp']), undefined]);
  const names = ['order.id', 'order.kind', 'tier'];
  expect(await received({ MessageAttributeNames: ['All'] })).toEqual([undefined, names]);
  expect(await received({ MessageAttributeNames: ['.*'] })).toEqual([undefined, names]);
  expect(await received({ MessageAttributeNames: ['order.*'] })).toEqual([undefined, ['order.id', 'order.kind']]);
  expect(await received({ MessageAttributeNames: ['tier', 'none'] })).toEqual([undefined, ['tier']]);
});

test('SQS: queues are listed in pages', async () => {
  const names: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await sqs.send(new ListQueuesCommand({ MaxResults: 3, NextToken }));
    names.push(...(page.QueueUrls ?? []).map((url) => url.split('/').at(-1) ?? ''));
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  expect(names).toEqual(['Dead', 'Later', 'Ordered.fifo', 'Orders']);
  expect((await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'L' }))).QueueUrls).toHaveLength(1);
});

describe('SNS refuses', () => {
  const batch = (...ids: readonly string[]) => ids.map((Id) => ({ Id, Message: 'x' }));
  test.each<readonly [string, () => Promise<unknown>, string]>([
    [
      'a topic that is missing',
      () => sns.send(new PublishCommand({ TopicArn: `${TOPIC}2`, Message: 'x' })),
      'NotFoundException: Topic does not exist',
    ],
    [
      'an empty message, before it looks for the topic',
      () => sns.send(new PublishCommand({ TopicArn: `${TOPIC}2`, Message: '' })),
      'InvalidParameterException: Invalid parameter: Empty message',
    ],
    [
      'a name that is no ARN',
      () => sns.send(new PublishCommand({ TopicArn: 'News', Message: 'x' })),
      'InvalidParameterException: Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1',
    ],
    [
      'a message above 256 KiB',
      () => sns.send(new PublishCommand({ TopicArn: TOPIC, Message: 'x'.repeat(256 * 1024 + 1) })),
      'InvalidParameterException: Invalid parameter: Message too long',
    ],
    [
      'a message without a group for a FIFO topic',
      () => sns.send(new PublishCommand({ TopicArn: `${TOPIC.replace('News', 'OrderedNews')}.fifo`, Message: 'x' })),
      'InvalidParameterException: Invalid parameter: The MessageGroupId parameter is required for FIFO topics',
    ],
    [
      'an empty batch',
      () => sns.send(new PublishBatchCommand({ TopicArn: TOPIC, PublishBatchRequestEntries: [] })),
      'EmptyBatchRequestException: ',
    ],
    [
      'a batch with one id twice',
      () => sns.send(new PublishBatchCommand({ TopicArn: TOPIC, PublishBatchRequestEntries: batch('a', 'a') })),
      'BatchEntryIdsNotDistinctException: ',
    ],
    [
      'a batch of eleven',
      () =>
        sns.send(
          new PublishBatchCommand({ TopicArn: TOPIC, PublishBatchRequestEntries: batch(...'abcdefghijk'.split('')) }),
        ),
      'TooManyEntriesInBatchRequestException: ',
    ],
  ])('%s', async (_what, call, error) => {
    expect(await failed(call())).toContain(error);
  });

  test('an invalid entry of a batch, alone', async () => {
    const PublishBatchRequestEntries = [
      { Id: 'good', Message: 'x' },
      { Id: 'empty', Message: '' },
    ];
    const result = await sns.send(new PublishBatchCommand({ TopicArn: TOPIC, PublishBatchRequestEntries }));
    expect(result).toMatchObject({
      Successful: [{ Id: 'good' }],
      Failed: [{ Id: 'empty', Code: 'InvalidParameter', SenderFault: true }],
    });
  });

  test('an action that it does not have, before all else', async () => {
    const response = await fetch(endpoint, { method: 'POST', body: new URLSearchParams({ Action: 'Publishh' }) });
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining('<Code>InvalidAction</Code>'),
    ]);
  });
});

describe('EventBridge refuses', () => {
  const entry = { Source: 'shop', DetailType: 'paid', Detail: '{}' };
  test.each([
    ['no entry', 0, 'Member must have length greater than or equal to 1'],
    ['eleven entries', 11, 'Member must have length less than or equal to 10'],
  ])('%s', async (_what, length, constraint) => {
    const call = events.send(new PutEventsCommand({ Entries: Array.from({ length }, () => entry) }));
    expect(await failed(call)).toBe(
      `ValidationException: 1 validation error detected: Value at 'entries' failed to satisfy constraint: ${constraint}`,
    );
  });

  test.each([
    ['PutEvent', '{"Entries":[]}', 'UnknownOperationException'],
    ['PutEvents', 'not JSON', 'SerializationException'],
    ['PutEvents', '{}', 'ValidationException'],
  ])('%s with %s', async (operation, body, type) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      body,
      headers: { 'x-amz-target': `AWSEvents.${operation}` },
    });
    expect([response.status, await response.json()]).toMatchObject([400, { __type: type }]);
  });
});

describe('Lambda', () => {
  test('lists functions in pages', async () => {
    const pages: (string | undefined)[][] = [];
    for await (const { Functions = [] } of paginateListFunctions({ client: lambda, pageSize: 3 }, {})) {
      pages.push(Functions.map(({ FunctionName }) => FunctionName));
    }
    expect(pages).toEqual([['Env', 'A', 'B'], ['C']]);
    const { NextMarker } = await lambda.send(new ListFunctionsCommand({ MaxItems: 4 }));
    expect(NextMarker ?? undefined).toBeUndefined();
  });

  test.each([{ MaxItems: 0 }, { MaxItems: 10_001 }, { Marker: 'no marker' }])('refuses %j', async (input) => {
    expect(await failed(lambda.send(new ListFunctionsCommand(input)))).toContain('InvalidParameterValueException: ');
  });

  test('describes a function with the members that clients read', async () => {
    const { Configuration, Code, Concurrency } = await lambda.send(new GetFunctionCommand({ FunctionName: 'Env' }));
    expect(Configuration).toMatchObject({
      FunctionName: 'Env',
      FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:Env',
      Runtime: 'nodejs20.x',
      Role: 'arn:aws:iam::000000000000:role/EnvRole',
      Handler: 'index.env',
      Description: '',
      Timeout: 3,
      MemorySize: 128,
      LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+\+0000$/),
      Version: '$LATEST',
      State: 'Active',
      LastUpdateStatus: 'Successful',
      PackageType: 'Zip',
      EphemeralStorage: { Size: 512 },
      SnapStart: { ApplyOn: 'None' },
    });
    expect(Code?.Location).toBe(`${local.dir}/app`);
    expect(Concurrency).toEqual({ ReservedConcurrentExecutions: 2 });
    expect(await failed(lambda.send(new GetFunctionCommand({ FunctionName: 'Missing' })))).toContain(
      'ResourceNotFoundException: ',
    );
  });
});
