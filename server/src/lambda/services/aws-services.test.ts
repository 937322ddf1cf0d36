import { describe, expect, test } from 'vitest';
import { handleAwsService } from './aws-services.ts';
import { openBroker } from './broker.ts';

const NO_SPECS = {
  queues: [],
  topics: [],
  subscriptions: [],
  rules: [],
  buses: ['default'],
  queueSources: [],
  schedules: [],
};
const broker = openBroker({
  specs: {
    ...NO_SPECS,
    topics: [{ name: 'News', arn: 'arn:aws:sns:us-east-1:000000000000:News' }],
  },
  accountId: '000000000000',
  region: 'us-east-1',
  invokeAsync: () => {},
  warn: () => {},
});

const SCOPE = 'AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/SERVICE/aws4_request, SignedHeaders=host';
const call = (headers: Record<string, string>, body = '{}') =>
  handleAwsService(broker, { headers, body: Buffer.from(body), signal: AbortSignal.abort() });

describe('a request reaches the service', () => {
  test.each([
    ['of its target', { 'x-amz-target': 'AmazonSQS.ListQueues' }, '{}', '{"QueueUrls":[]}'],
    [
      'of its target',
      { 'x-amz-target': 'AWSEvents.PutEvents' },
      '{"Entries":[{"Source":"shop","DetailType":"order","Detail":"{}"}]}',
      '{"FailedEntryCount":0,"Entries":[{"EventId":',
    ],
    ['of its signature', { authorization: SCOPE.replace('SERVICE', 'sns') }, 'Action=ListTopics', ':News</TopicArn>'],
    [
      'of a signature of version 4A',
      { authorization: 'AWS4-ECDSA-P256-SHA256 Credential=AKID/20260101/sns/aws4_request, SignedHeaders=host' },
      'Action=ListTopics',
      ':News</TopicArn>',
    ],
  ] as const)('%s %j', async (_how, headers, body, part) => {
    const answer = await call(headers, body);
    expect(answer?.status).toBe(200);
    expect(answer?.body).toContain(part);
  });

  test.each([
    ['another service', { 'x-amz-target': 'DynamoDB_20120810.PutItem' }, 'openray does not serve DynamoDB_20120810'],
    [
      'another service',
      { authorization: SCOPE.replace('SERVICE', 's3') },
      'openray does not serve s3; it serves Lambda, SQS, SNS, EventBridge and X-Ray',
    ],
    ['the older protocol of SQS', { authorization: SCOPE.replace('SERVICE', 'sqs') }, 'the JSON protocol of SQS'],
  ])('but not %s', async (_what, headers, part) => {
    const answer = await call(headers);
    expect(answer?.status).toBe(400);
    expect(answer?.body).toContain(part);
  });

  test.each([{}, { authorization: 'Bearer a' }, { authorization: SCOPE.slice(0, 40) }])(
    'unless it names none: %j',
    async (headers) => {
      expect(await call(headers as Record<string, string>)).toBeUndefined();
    },
  );
});

test('PutEvents answers each entry at its index, also those that are not valid', async () => {
  const valid = { Source: 'shop', DetailType: 'order', Detail: '{}' };
  const entries = [5, valid, { ...valid, Detail: 'notjson' }, { Source: 'shop' }, { ...valid, Source: '' }];
  const answer = await call({ 'x-amz-target': 'AWSEvents.PutEvents' }, JSON.stringify({ Entries: entries }));
  const { FailedEntryCount, Entries } = JSON.parse(answer?.body ?? '') as {
    FailedEntryCount: number;
    Entries: readonly { ErrorCode?: string }[];
  };
  expect(Entries.map(({ ErrorCode }) => ErrorCode)).toEqual([
    'InvalidArgument',
    undefined,
    'MalformedDetail',
    'InvalidArgument',
    'InvalidArgument',
  ]);
  expect(FailedEntryCount).toBe(4);
});

test.each([
  [
    ['foreign'],
    400,
    '"ResourceNotFoundException","message":"Event bus foreign does not exist: it is not in the template',
  ],
  [['arn:aws:events:us-east-1:1:event-bus/b'], 400, '--aws passthrough or --aws-endpoint URL'],
  [['default', 'foreign'], 200, '"FailedEntryCount":1,'],
  [
    ['foreign', 'default'],
    200,
    'Event bus foreign does not exist: it is not in the template. Send its events in calls of',
  ],
  [['arn:aws:events:us-east-1:000000000000:event-bus/default'], 200, '"FailedEntryCount":0'],
] as const)('PutEvents for the buses %j answers %i', async (buses, status, part) => {
  const Entries = buses.map((EventBusName) => ({ Source: 'shop', DetailType: 'order', Detail: '{}', EventBusName }));
  const answer = await call({ 'x-amz-target': 'AWSEvents.PutEvents' }, JSON.stringify({ Entries }));
  expect(answer?.status).toBe(status);
  expect(answer?.body).toContain(part);
});

test('a function that publishes without an SDK reaches SNS on its own port, and nothing on the main port', async () => {
  const request = { headers: {}, body: Buffer.from('Action=ListTopics'), signal: AbortSignal.abort() };
  expect(await handleAwsService(broker, request)).toBeUndefined();
  expect((await handleAwsService(broker, request, { takesUnsignedForms: true }))?.body).toContain(':News</TopicArn>');
});
