import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PublishBatchCommand, SNSClient } from '@aws-sdk/client-sns';
import { GetQueueUrlCommand, SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import { type LocalLambda, openLocalLambda, resultOf } from '../testing/local-lambda.ts';

const TEMPLATE = `
Globals: {Function: {Runtime: nodejs20.x, CodeUri: app, Timeout: 20, Tracing: Active, Handler: index.handler}}
Resources:
  Orders: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true, VisibilityTimeout: 4}}
  ByContent: {Type: AWS::SQS::Queue, Properties: {QueueName: by-content.fifo, FifoQueue: true, ContentBasedDeduplication: true}}
  Mixed: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 0}}
  News: {Type: AWS::SNS::Topic}
  InOrder: {Type: AWS::SNS::Topic, Properties: {FifoTopic: true}}
  ToQueue: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref InOrder, Protocol: sqs, Endpoint: !GetAtt ByContent.Arn, RawMessageDelivery: true}}
  Env: {Type: AWS::Serverless::Function, Properties: {Handler: index.env}}
  Ordered:
    Type: AWS::Serverless::Function
    Properties: {Events: {Queue: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, BatchSize: 2, FunctionResponseTypes: [ReportBatchItemFailures]}}}}
  Content:
    Type: AWS::Serverless::Function
    Properties: {Events: {Queue: {Type: SQS, Properties: {Queue: !GetAtt ByContent.Arn}}}}
  Choosy:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Mixed.Arn, BatchSize: 10, MaximumBatchingWindowInSeconds: 1, FilterCriteria: {Filters: [{Pattern: '{"body": {"tier": ["gold"], "amount": [{"numeric": [">", 10]}]}}'}, {Pattern: '{"body": ["plain text"]}'}]}}}
        Stream: {Type: Kinesis, Properties: {Stream: 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks', StartingPosition: LATEST}}
        Table: {Type: DynamoDB, Properties: {Stream: 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/1', StartingPosition: LATEST}}
        Files: {Type: S3, Properties: {Bucket: b, Events: s3:ObjectCreated:*}}
  Listener:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Gold: {Type: SNS, Properties: {Topic: !Ref News, FilterPolicy: {tier: [gold], sizes: [L], amount: [{numeric: ['>=', 2]}]}}}
  Behind:
    Type: AWS::Serverless::Function
    Properties: {Events: {Queued: {Type: SNS, Properties: {Topic: !Ref News, SqsSubscription: {BatchSize: 10}, FilterPolicy: {tier: [gold]}}}}}
  Reader:
    Type: AWS::Serverless::Function
    Properties: {Events: {Body: {Type: SNS, Properties: {Topic: !Ref News, FilterPolicyScope: MessageBody, FilterPolicy: '{"order":{"paid":[true]}}'}}}}
  Mapped: {Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref Env, EventSourceArn: 'arn:aws:kafka:us-east-1:000000000000:cluster/c/1'}}
`;

const CODE = `
exports.env = async () => Object.fromEntries(Object.entries(process.env).filter(([name]) => /^AWS_ENDPOINT/.test(name)));
exports.handler = async (event) => {
  console.log('GOT ' + JSON.stringify(event));
  await new Promise((done) => setTimeout(done, 20));
  const isFirst = ({ attributes }) => attributes?.ApproximateReceiveCount === '1';
  const failed = (event.Records ?? []).filter((record) => record.body === 'a2' && isFirst(record));
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
};
`;

let local: LocalLambda;
let sqs: SQSClient;
let sns: SNSClient;

beforeAll(async () => {
  local = await openLocalLambda({ 'template.yaml': TEMPLATE, 'app/index.js': CODE });
  const env = resultOf(await local.invoke('Env')) as Record<string, string>;
  const common = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, maxAttempts: 1 };
  sqs = new SQSClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_SQS ?? '' });
  sns = new SNSClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_SNS ?? '' });
});
afterAll(async () => {
  sqs.destroy();
  sns.destroy();
  await local.close();
});

async function queueUrl(name: string): Promise<string> {
  return (await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl ?? '';
}

/** Records of each event that a function printed. */
function batches(functionName: string): readonly (readonly JsonObject[])[] {
  return local.logEvents
    .filter((line) => line.functionName === functionName && line.text.includes('GOT '))
    .map(({ text }) => (JSON.parse(text.slice(text.indexOf('GOT ') + 4)) as { Records: JsonObject[] }).Records);
}

const bodies = (functionName: string) => batches(functionName).map((records) => records.map(({ body }) => body));

describe('a FIFO queue', () => {
  test('passes the messages of a group one after the other, also when one is repeated', async () => {
    const QueueUrl = await queueUrl('Orders.fifo');
    const send = (body: string) => ({
      Id: body,
      MessageBody: body,
      MessageGroupId: body.slice(0, 1),
      MessageDeduplicationId: body,
    });
    const Entries = ['a1', 'a2', 'b1', 'a3', 'b2', 'a4'].map(send);
    const { Successful = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    const numbers = Successful.map(({ SequenceNumber }) => SequenceNumber as string);
    expect([...numbers].sort()).toEqual(numbers);
    expect(new Set(numbers).size).toBe(6);
    await expect.poll(() => bodies('Ordered').flat()).toHaveLength(7);
    const handled = bodies('Ordered').flat() as string[];
    expect(handled.filter((body) => body.startsWith('a'))).toEqual(['a1', 'a2', 'a2', 'a3', 'a4']);
    expect(handled.filter((body) => body.startsWith('b'))).toEqual(['b1', 'b2']);
    expect(bodies('Ordered').every((batch) => batch.length <= 2)).toBe(true);
    const first = batches('Ordered')
      .flat()
      .find(({ body }) => body === 'a1');
    expect(first?.attributes).toMatchObject({
      MessageGroupId: 'a',
      MessageDeduplicationId: 'a1',
      SequenceNumber: numbers[0],
    });
  });

  test('drops duplicates by id or content, and rejects a message without a group', async () => {
    const QueueUrl = await queueUrl('by-content.fifo');
    const send = (MessageBody: string) =>
      sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId: 'g' }));
    const [first, again] = [await send('same'), await send('same')];
    await send('other');
    expect(again.MessageId).toBe(first.MessageId);
    await expect.poll(() => bodies('Content').flat()).toEqual(['same', 'other']);
    await expect(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }))).rejects.toThrow('MessageGroupId');
    const orders = { QueueUrl: await queueUrl('Orders.fifo'), MessageBody: 'x', MessageGroupId: 'g' };
    await expect(sqs.send(new SendMessageCommand(orders))).rejects.toThrow('MessageDeduplicationId');
  });

  test('receives messages of a FIFO topic in their group', async () => {
    const PublishBatchRequestEntries = ['one', 'two'].map((Id) => ({ Id, Message: Id, MessageGroupId: 'news' }));
    const TopicArn = 'arn:aws:sns:us-east-1:000000000000:InOrder.fifo';
    const before = bodies('Content').flat().length;
    const { Successful = [] } = await sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }));
    expect(Successful.map(({ Id }) => Id)).toEqual(['one', 'two']);
    await expect.poll(() => bodies('Content').flat().slice(before)).toEqual(['one', 'two']);
    expect(batches('Content').flat().at(-1)?.attributes).toMatchObject({ MessageGroupId: 'news' });
  });
});

test('a queue with filters passes on messages that match one of them, and drops the rest', async () => {
  const QueueUrl = await queueUrl('Mixed');
  const wanted = ['{"tier":"gold","amount":11}', 'plain text'];
  const MessageBodies = ['{"tier":"gold","amount":10}', '{"tier":"tin","amount":99}', 'other text', ...wanted];
  const Entries = MessageBodies.map((MessageBody, i) => ({ Id: String(i), MessageBody }));
  await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  await expect.poll(() => bodies('Choosy')).toEqual([wanted]);
  await local.lambda.whenIdle();
  expect(bodies('Choosy')).toEqual([wanted]);
});

test('topics match a batch with policies for attributes of any type, and for bodies', async () => {
  const attribute = (DataType: string, StringValue: string) => ({ DataType, StringValue });
  const entry = (Id: string, tier: string, sizes: string, amount: string, Message = Id) => ({
    Id,
    Message,
    MessageAttributes: {
      tier: attribute('String', tier),
      sizes: attribute('String.Array', sizes),
      amount: attribute('Number', amount),
    },
  });
  const TopicArn = 'arn:aws:sns:us-east-1:000000000000:News';
  const PublishBatchRequestEntries = [
    entry('fits', 'gold', '["M","L"]', '2'),
    entry('small', 'gold', '["S"]', '2'),
    entry('cheap', 'gold', '["L"]', '1'),
    entry('paid', 'tin', '["S"]', '0', '{"order":{"paid":true}}'),
    entry('open', 'tin', '["S"]', '0', '{"order":{"paid":false}}'),
  ];
  const { Successful = [] } = await sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries }));
  expect(Successful).toHaveLength(5);
  await local.lambda.whenIdle();
  const messages = (name: string) =>
    batches(name).flatMap((records) => records.map(({ Sns }) => (Sns as JsonObject).Message));
  expect(messages('Listener')).toEqual(['fits']);
  expect(messages('Reader')).toEqual(['{"order":{"paid":true}}']);
  const queued = batches('Behind').flat();
  expect(queued.map(({ body }) => (JSON.parse(String(body)) as JsonObject).Message)).toEqual([
    'fits',
    'small',
    'cheap',
  ]);
  expect(queued[0]?.eventSourceARN).toBe('arn:aws:sqs:us-east-1:000000000000:BehindQueuedQueue');
});

test('each unsupported event source gives one warning, and everything else runs', async () => {
  expect(local.warnings.filter((sentence) => sentence.includes('never starts the function'))).toEqual([
    'Choosy.Events.Stream has the Type "Kinesis", which openray does not support; the event never starts the function.',
    'Choosy.Events.Table has the Type "DynamoDB", which openray does not support; the event never starts the function.',
    'Choosy.Events.Files has the Type "S3", which openray does not support; the event never starts the function.',
    'Mapped.EventSourceArn is "arn:aws:kafka:us-east-1:000000000000:c…; openray polls only SQS queues, so Mapped never starts the function Env.',
  ]);
  const env = resultOf(await local.invoke('Env')) as Record<string, string>;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const lambda = new LambdaClient({ region: 'us-east-1', credentials, endpoint: env.AWS_ENDPOINT_URL_LAMBDA ?? '' });
  const Payload = JSON.stringify({ Records: [{ eventSource: 'aws:kinesis', kinesis: { data: 'aGk=' } }] });
  const { FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: 'Choosy', Payload }));
  expect(FunctionError).toBeUndefined();
  lambda.destroy();
});
