import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type {
  CloudWatchAlarmEvent,
  CloudWatchLogsDecodedData,
  CloudWatchLogsEvent,
  DynamoDBStreamEvent,
  EventBridgeEvent,
  FirehoseTransformationEvent,
  KinesisStreamEvent,
  MSKEvent,
  SESEvent,
  SNSEvent,
  SQSEvent,
} from 'aws-lambda';
import { OpenrayError } from '../../errors.ts';
import {
  arnOf,
  base64,
  PLACE,
  REQUEST_ID,
  type ServiceEvents,
  sampleEvent,
  TIME,
  TIME_IN_SECONDS,
  TIME_MS,
} from './sample-event.ts';

const MESSAGE_ID = '19dd0b57-b21e-4ac1-bd88-01bbb068cb78';

export const sqs: ServiceEvents = {
  'receive-message': sampleEvent(
    'a message of a queue',
    { ...PLACE, queueName: 'MyQueue', body: 'Hello from SQS!' },
    ({ queueName, body, ...place }) =>
      ({
        Records: [
          {
            messageId: MESSAGE_ID,
            receiptHandle: 'MessageReceiptHandle',
            body,
            attributes: {
              ApproximateReceiveCount: '1',
              SentTimestamp: String(TIME_MS),
              SenderId: place.accountId,
              ApproximateFirstReceiveTimestamp: String(TIME_MS + 1),
            },
            messageAttributes: {},
            md5OfBody: createHash('md5').update(body).digest('hex'),
            eventSource: 'aws:sqs',
            eventSourceARN: arnOf('sqs', place, queueName),
            awsRegion: place.region,
          },
        ],
      }) satisfies SQSEvent,
  ),
};

export const sns: ServiceEvents = {
  notification: sampleEvent(
    'a message of a topic',
    { ...PLACE, topic: 'ExampleTopic', subject: 'example subject', message: 'example message' },
    ({ topic, subject, message, ...place }) => {
      const topicArn = arnOf('sns', place, topic);
      return {
        Records: [
          {
            EventSource: 'aws:sns',
            EventVersion: '1.0',
            EventSubscriptionArn: `${topicArn}:21be56ed-a058-49f5-8c98-aedd2564c486`,
            Sns: {
              Type: 'Notification',
              MessageId: '95df01b4-ee98-5cb9-9903-4c221d41eb5e',
              TopicArn: topicArn,
              Subject: subject,
              Message: message,
              Timestamp: TIME,
              SignatureVersion: '1',
              Signature: 'EXAMPLE',
              SigningCertUrl: 'EXAMPLE',
              UnsubscribeUrl: 'EXAMPLE',
              MessageAttributes: {
                Test: { Type: 'String', Value: 'TestString' },
                TestBinary: { Type: 'Binary', Value: base64('TestBinary') },
              },
            },
          },
        ],
      } satisfies SNSEvent;
    },
  ),
};

const scheduledEvent = sampleEvent(
  'a rule with a schedule',
  { ...PLACE, rule: 'ExampleRule' },
  ({ rule, ...place }) =>
    ({
      version: '0',
      id: 'cdc73f9d-aea9-11e3-9d5a-835b769c0d9c',
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account: place.accountId,
      time: TIME_IN_SECONDS,
      region: place.region,
      resources: [arnOf('events', place, `rule/${rule}`)],
      detail: {},
    }) satisfies EventBridgeEvent<'Scheduled Event', object>,
);

/** Throws InvalidRequestException when the value of the flag is not JSON. */
function parseJson(flag: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new OpenrayError('InvalidRequestException', `${flag} ${text.slice(0, 100)} is not JSON`, { cause });
  }
}

export const eventbridge: ServiceEvents = {
  'put-events': sampleEvent(
    'an event of an application',
    {
      region: PLACE.region,
      accountId: PLACE.accountId,
      source: 'com.example.shop',
      detailType: 'OrderPlaced',
      detail: '{"orderId":"1"}',
    },
    ({ source, detailType, detail, region, accountId }) =>
      ({
        version: '0',
        id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
        'detail-type': detailType,
        source,
        account: accountId,
        time: TIME_IN_SECONDS,
        region,
        resources: [],
        detail: parseJson('--detail', detail),
      }) satisfies EventBridgeEvent<string, unknown>,
  ),
  'scheduled-event': scheduledEvent,
  'object-created': sampleEvent(
    'an S3 bucket that sends its events to EventBridge',
    { ...PLACE, bucket: 'example-bucket', key: 'test/key' },
    ({ bucket, key, region, partition, accountId }) =>
      ({
        version: '0',
        id: '17793124-05d4-b198-2fde-7ededc63b103',
        'detail-type': 'Object Created',
        source: 'aws.s3',
        account: accountId,
        time: TIME_IN_SECONDS,
        region,
        resources: [`arn:${partition}:s3:::${bucket}`],
        detail: {
          version: '0',
          bucket: { name: bucket },
          object: { key, size: 1024, etag: '0123456789abcdef0123456789abcdef', sequencer: '0A1B2C3D4E5F678901' },
          'request-id': 'EXAMPLE123456789',
          requester: accountId,
          'source-ip-address': '127.0.0.1',
          reason: 'PutObject',
        },
      }) satisfies EventBridgeEvent<string, object>,
  ),
};

export const cloudwatch: ServiceEvents = {
  'scheduled-event': scheduledEvent,
  logs: sampleEvent(
    'log events of a subscription filter, compressed',
    { accountId: PLACE.accountId, logGroup: 'testLogGroup', message: '[ERROR] First test message' },
    ({ accountId, logGroup, message }) => {
      const decoded: CloudWatchLogsDecodedData = {
        messageType: 'DATA_MESSAGE',
        owner: accountId,
        logGroup,
        logStream: 'testLogStream',
        subscriptionFilters: ['testFilter'],
        logEvents: [{ id: 'eventId1', timestamp: TIME_MS, message }],
      };
      return {
        awslogs: { data: gzipSync(JSON.stringify(decoded)).toString('base64') },
      } satisfies CloudWatchLogsEvent;
    },
  ),
  alarm: sampleEvent(
    'an alarm that changes its state',
    { ...PLACE, alarmName: 'ExampleAlarm' },
    ({ alarmName, ...place }) =>
      ({
        source: 'aws.cloudwatch',
        alarmArn: arnOf('cloudwatch', place, `alarm:${alarmName}`),
        accountId: place.accountId,
        time: TIME,
        region: place.region,
        alarmData: {
          alarmName,
          state: { value: 'ALARM', reason: 'Threshold Crossed', reasonData: '{}', timestamp: TIME },
          previousState: { value: 'OK', reason: 'Threshold not crossed', reasonData: '{}', timestamp: TIME },
          configuration: {
            metrics: [
              {
                id: '3ae7b5e9-8a0e-4a3c-9a0f-2d9ad1a9e6f1',
                metricStat: {
                  metric: { namespace: 'AWS/Lambda', name: 'Errors', dimensions: { FunctionName: 'example' } },
                  period: 60,
                  stat: 'Sum',
                },
                returnData: true,
              },
            ],
          },
        },
      }) satisfies CloudWatchAlarmEvent,
  ),
};

export const ses: ServiceEvents = {
  'email-receiving': sampleEvent(
    'a mail that a receipt rule passes to a function',
    { ...PLACE, from: 'janedoe@example.com', to: 'johndoe@example.com', subject: 'Test Subject' },
    ({ from, to, subject, ...place }) => {
      const date = 'Thu, 15 Jan 2026 12:00:00 +0000';
      const messageId = '<0123456789example.com>';
      const pass = { status: 'PASS' } as const;
      return {
        Records: [
          {
            eventSource: 'aws:ses',
            eventVersion: '1.0',
            ses: {
              mail: {
                timestamp: TIME,
                source: from,
                messageId: 'o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1',
                destination: [to],
                headersTruncated: false,
                headers: [
                  { name: 'From', value: from },
                  { name: 'To', value: to },
                  { name: 'Subject', value: subject },
                  { name: 'Date', value: date },
                  { name: 'Message-ID', value: messageId },
                ],
                commonHeaders: { returnPath: from, from: [from], date, to: [to], messageId, subject },
              },
              receipt: {
                timestamp: TIME,
                processingTimeMillis: 574,
                recipients: [to],
                spamVerdict: pass,
                virusVerdict: pass,
                spfVerdict: pass,
                dkimVerdict: pass,
                dmarcVerdict: pass,
                action: {
                  type: 'Lambda',
                  invocationType: 'Event',
                  functionArn: arnOf('lambda', place, 'function:Example'),
                },
              },
            },
          },
        ],
      } satisfies SESEvent;
    },
  ),
};

export const dynamodb: ServiceEvents = {
  update: sampleEvent(
    'items of a table that are inserted, changed and removed',
    { ...PLACE, table: 'ExampleTableWithStream' },
    ({ table, ...place }) => {
      const common = {
        eventVersion: '1.1',
        eventSource: 'aws:dynamodb',
        awsRegion: place.region,
        eventSourceARN: arnOf('dynamodb', place, `table/${table}/stream/${TIME.slice(0, -1)}`),
      };
      const Keys = { Id: { N: '101' } };
      const before = { Message: { S: 'New item!' }, ...Keys };
      const after = { Message: { S: 'This item has changed' }, ...Keys };
      const stream = {
        ApproximateCreationDateTime: TIME_MS / 1000,
        Keys,
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      } as const;
      return {
        Records: [
          {
            eventID: 'c4ca4238a0b923820dcc509a6f75849b',
            eventName: 'INSERT',
            ...common,
            dynamodb: { ...stream, NewImage: before, SequenceNumber: '4421584500000000017450439091', SizeBytes: 26 },
          },
          {
            eventID: 'c81e728d9d4c2f636f067f89cc14862c',
            eventName: 'MODIFY',
            ...common,
            dynamodb: {
              ...stream,
              NewImage: after,
              OldImage: before,
              SequenceNumber: '4421584500000000017450439092',
              SizeBytes: 59,
            },
          },
          {
            eventID: 'eccbc87e4b5ce2fe28308fd9f2a7baf3',
            eventName: 'REMOVE',
            ...common,
            dynamodb: { ...stream, OldImage: after, SequenceNumber: '4421584500000000017450439093', SizeBytes: 38 },
          },
        ],
      } satisfies DynamoDBStreamEvent;
    },
  ),
};

const SEQUENCE = '49545115243490985018280067714973144582180062593244200961';
const STREAM_RECORD = { data: 'Hello, this is a test 123.', partitionKey: 'partitionKey-03', sequence: SEQUENCE };

const DELIVERY = { ...PLACE, deliveryStream: 'exampleStream' };

function firehoseEvent({
  deliveryStream,
  data,
  ...place
}: Readonly<Record<keyof typeof DELIVERY | 'data', string>>): FirehoseTransformationEvent {
  return {
    invocationId: REQUEST_ID,
    deliveryStreamArn: arnOf('firehose', place, `deliverystream/${deliveryStream}`),
    region: place.region,
    records: [{ recordId: `${SEQUENCE}000000`, approximateArrivalTimestamp: TIME_MS, data: base64(data) }],
  };
}

export const kinesis: ServiceEvents = {
  'get-records': sampleEvent(
    'a record of a data stream',
    { ...PLACE, stream: 'example-stream', ...STREAM_RECORD },
    ({ stream, data, partitionKey, sequence, ...place }) =>
      ({
        Records: [
          {
            kinesis: {
              kinesisSchemaVersion: '1.0',
              partitionKey,
              sequenceNumber: sequence,
              data: base64(data),
              approximateArrivalTimestamp: TIME_MS / 1000,
            },
            eventSource: 'aws:kinesis',
            eventVersion: '1.0',
            eventID: `shardId-000000000000:${sequence}`,
            eventName: 'aws:kinesis:record',
            invokeIdentityArn: `arn:${place.partition}:iam::${place.accountId}:role/lambda-role`,
            awsRegion: place.region,
            eventSourceARN: arnOf('kinesis', place, `stream/${stream}`),
          },
        ],
      }) satisfies KinesisStreamEvent,
  ),
  'kinesis-firehose': sampleEvent(
    'a record that Firehose lets a function transform',
    { ...DELIVERY, data: STREAM_RECORD.data },
    firehoseEvent,
  ),
  apachelog: sampleEvent(
    'a line of Apache that Firehose lets a function transform',
    { ...DELIVERY, data: '203.0.113.7 - - [15/Jan/2026:12:00:00 +0000] "GET /index.html HTTP/1.1" 200 6291' },
    firehoseEvent,
  ),
  syslog: sampleEvent(
    'a line of syslog that Firehose lets a function transform',
    { ...DELIVERY, data: 'Jan 15 12:00:00 host1 app[42]: Hello, this is a test 123.' },
    firehoseEvent,
  ),
  'streams-as-source': sampleEvent(
    'a record of a data stream that Firehose lets a function transform',
    { ...DELIVERY, stream: 'example-stream', ...STREAM_RECORD },
    ({ stream, partitionKey, sequence, ...delivery }) => {
      const { records, ...event } = firehoseEvent(delivery);
      const kinesisRecordMetadata = {
        shardId: 'shardId-000000000000',
        partitionKey,
        approximateArrivalTimestamp: TIME_MS,
        sequenceNumber: sequence,
        subsequenceNumber: '0',
      };
      return {
        ...event,
        sourceKinesisStreamArn: arnOf('kinesis', delivery, `stream/${stream}`),
        records: records.map((record) => ({ ...record, kinesisRecordMetadata })),
      } satisfies FirehoseTransformationEvent;
    },
  ),
  /** @see https://docs.aws.amazon.com/kinesisanalytics/latest/dev/lambda-preprocessing-data-model.html */
  analytics: sampleEvent(
    'a record that an analytics application lets a function prepare',
    { ...PLACE, application: 'example-application', stream: 'example-stream', data: STREAM_RECORD.data },
    ({ application, stream, data, ...place }) => ({
      invocationId: REQUEST_ID,
      applicationArn: arnOf('kinesisanalytics', place, `application/${application}`),
      streamArn: arnOf('kinesis', place, `stream/${stream}`),
      records: [
        {
          recordId: SEQUENCE,
          kinesisStreamRecordMetadata: {
            sequenceNumber: SEQUENCE,
            partitionKey: STREAM_RECORD.partitionKey,
            shardId: 'shardId-000000000000',
            approximateArrivalTimestamp: TIME_MS,
          },
          data: base64(data),
        },
      ],
    }),
  ),
};

export const msk: ServiceEvents = {
  'get-records': sampleEvent(
    'a record of a Kafka topic',
    { ...PLACE, cluster: 'example-cluster', topic: 'mytopic', key: 'recordKey', value: 'Hello, this is a test.' },
    ({ cluster, topic, key, value, ...place }) =>
      ({
        eventSource: 'aws:kafka',
        eventSourceArn: arnOf('kafka', place, `cluster/${cluster}/751d2973-a626-431c-9d4e-d7975eb44dd7-2`),
        bootstrapServers: `b-1.${cluster}.c2.kafka.${place.region}.amazonaws.com:9092`,
        records: {
          [`${topic}-0`]: [
            {
              topic,
              partition: 0,
              offset: 15,
              timestamp: TIME_MS,
              timestampType: 'CREATE_TIME',
              key: base64(key),
              value: base64(value),
              headers: [{ headerKey: [...Buffer.from('headerValue')] }],
            },
          ],
        },
      }) satisfies MSKEvent,
  ),
};
