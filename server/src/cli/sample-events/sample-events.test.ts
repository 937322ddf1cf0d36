import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { SAMPLE_EVENTS } from './sample-events.ts';

const EVENTS = Object.entries(SAMPLE_EVENTS).flatMap(([service, events]) =>
  Object.entries(events).map(([name, event]) => [service, name, event] as const),
);

function build(service: string, name: string, values: Readonly<Record<string, string>> = {}): unknown {
  return JSON.parse(JSON.stringify(SAMPLE_EVENTS[service]?.[name]?.build(values)));
}

test.each(EVENTS)('%s %s has a description, and each option changes the event', (service, name, event) => {
  expect(event.description).toMatch(/[^.]$/);
  const text = JSON.stringify(build(service, name));
  expect(Object.keys(event.defaults).filter((key) => JSON.stringify(event.build({ [key]: '7' })) === text)).toEqual([]);
});

test('an event without options is the same each time', () => {
  for (const [service, name] of EVENTS) expect(build(service, name)).toEqual(build(service, name));
});

describe('values that depend on an option', () => {
  test.each([
    [
      'sqs',
      'receive-message',
      { body: 'ü' },
      { Records: [{ md5OfBody: createHash('md5').update('ü').digest('hex') }] },
    ],
    ['kinesis', 'get-records', { data: 'ü' }, { Records: [{ kinesis: { data: 'w7w=' } }] }],
    ['s3', 'delete', { key: 'a+b c' }, { Records: [{ s3: { object: { key: 'a%2Bb+c' } } }] }],
    ['apigateway', 'aws-proxy', { path: 'a/b' }, { path: '/a/b', pathParameters: { proxy: 'a/b' } }],
    ['apigateway', 'aws-proxy', { resource: '/o/{id}', path: '/o/7' }, { pathParameters: { id: '7' } }],
    ['apigateway', 'http-api-proxy', { stage: 'dev', path: '/o' }, { rawPath: '/dev/o' }],
    [
      'apigateway',
      'http-api-proxy',
      { routeKey: 'GET /o/{id}', path: '/o/7' },
      { routeKey: 'GET /o/{id}', pathParameters: { id: '7' } },
    ],
    [
      'sns',
      'notification',
      { partition: 'aws-cn', region: 'cn-north-1' },
      { Records: [{ Sns: { TopicArn: 'arn:aws-cn:sns:cn-north-1:123456789012:ExampleTopic' } }] },
    ],
    ['eventbridge', 'put-events', { detail: '{"a":[1]}' }, { detail: { a: [1] } }],
  ])('%s %s %j', (service, name, values, expected) => {
    expect(build(service, name, values)).toMatchObject(expected);
  });

  test('log events are compressed', () => {
    const { awslogs } = build('cloudwatch', 'logs', { message: 'a line' }) as { awslogs: { data: string } };
    expect(JSON.parse(gunzipSync(Buffer.from(awslogs.data, 'base64')).toString())).toMatchObject({
      messageType: 'DATA_MESSAGE',
      logEvents: [{ message: 'a line' }],
    });
  });

  test('an object that was deleted has no size and no tag', () => {
    const { Records: records } = build('s3', 'delete') as { Records: [{ s3: { object: object } }] };
    expect(Object.keys(records[0].s3.object)).toEqual(['key', 'sequencer']);
  });
});

test("SAM's most used events are there", () => {
  const sam = [
    ...['alb request', 'apigateway authorizer', 'apigateway aws-proxy', 'apigateway http-api-proxy'],
    ...[
      'apigateway request-authorizer',
      'appsync direct-resolver',
      'batch submit-job',
      'cloudformation create-request',
    ],
    ...['cloudfront modify-response-header', 'cloudwatch logs', 'cloudwatch scheduled-event', 'codecommit repository'],
    ...['codepipeline job', 'cognito sync-trigger', 'config item-change-notification', 'config periodic-rule'],
    ...['connect contact-flow-event', 'dynamodb update', 'kinesis get-records', 'kinesis kinesis-firehose'],
    ...['config oversized-item-change-notification', 'kinesis analytics', 'kinesis apachelog', 'kinesis syslog'],
    ...['kinesis streams-as-source'],
    ...['lex book-hotel', 'lex-v2 book-hotel', 'rekognition s3-request', 's3 batch-invocation', 's3 delete', 's3 put'],
    ...['sagemaker ground-truth-pre-human', 'sagemaker ground-truth-annotation-consolidation', 'ses email-receiving'],
    ...['sns notification', 'sqs receive-message', 'stepfunctions error'],
  ];
  const own = EVENTS.map(([service, name]) => `${service} ${name}`);
  expect(sam.filter((name) => !own.includes(name))).toEqual([]);
});
