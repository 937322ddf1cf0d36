import { afterAll, beforeAll, expect, test } from 'vitest';
import { operations } from '../server/src/api/operations.ts';
import { AWS_OPERATIONS, unknownMembers } from './support/aws-model.ts';
import { entityId, segment, traceId } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

const SHOP = traceId();
const CONSUMER = traceId();
const OTLP = traceId();
const WINDOW = { StartTime: Date.now() / 1000 - 600, EndTime: Date.now() / 1000 + 60 };

/** Documents that fill as many members of the responses as can be. */
function documents(): readonly object[] {
  const [root, call, producer] = [entityId(), entityId(), entityId()];
  const start = Date.now() / 1000 - 2;
  const times = { start_time: start, end_time: start + 0.5 };
  const cause = { exceptions: [{ id: entityId(), type: 'TypeError', message: 'no such user' }] };
  return [
    segment({
      ...times,
      id: root,
      trace_id: SHOP,
      name: 'shop',
      fault: true,
      cause,
      origin: 'AWS::EC2::Instance',
      user: 'brian1',
      annotations: { tenant: 'gold', attempt: 2, beta: true },
      aws: { account_id: '123456789012', ec2: { instance_id: 'i-1', availability_zone: 'us-east-1a' } },
      http: { request: { method: 'GET', url: 'https://shop.example/' }, response: { status: 500 } },
      subsegments: [
        {
          ...times,
          id: call,
          name: 'stock.example',
          namespace: 'remote',
          throttle: true,
          error: true,
          cause,
          http: { request: { url: 'https://stock.example/', traced: true }, response: { status: 429 } },
        },
        { ...times, id: producer, name: 'SQS', namespace: 'aws', aws: { operation: 'SendMessage', queue_url: 'q' } },
      ],
    }),
    segment({ ...times, trace_id: SHOP, parent_id: call, name: 'stock.example', error: true, throttle: true }),
    { ...segment(times), type: 'subsegment', trace_id: SHOP, parent_id: entityId(), name: 'orphan' },
    segment({
      ...times,
      trace_id: CONSUMER,
      name: 'worker',
      links: [{ trace_id: SHOP, id: producer, attributes: { type: 'sqs' } }],
    }),
  ];
}

const SPAN = {
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'cart' } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId: OTLP.slice(2).replace('-', ''),
              spanId: entityId(),
              name: 'GET /',
              kind: 2,
              startTimeUnixNano: `${Date.now() - 1000}000000`,
              endTimeUnixNano: `${Date.now()}000000`,
              events: [{ timeUnixNano: `${Date.now()}000000`, name: 'cache miss' }],
            },
          ],
        },
      ],
    },
  ],
};

const STATISTICS = { ClientID: 'c'.repeat(24), Timestamp: Date.now() / 1000, RequestCount: 1, SampledCount: 1 };

/** Requests of every operation, in an order in which each succeeds. */
const REQUESTS: readonly (readonly [operation: string, request: () => object])[] = [
  [
    'PutTraceSegments',
    () => ({ TraceSegmentDocuments: [...documents().map((one) => JSON.stringify(one)), '{"id": "invalid"}'] }),
  ],
  ['PutTelemetryRecords', () => ({ TelemetryRecords: [{ Timestamp: Date.now() / 1000 }] })],
  ['CreateGroup', () => ({ GroupName: 'faults', FilterExpression: 'fault = true' })],
  ['UpdateGroup', () => ({ GroupName: 'faults', InsightsConfiguration: { InsightsEnabled: true } })],
  ['GetGroup', () => ({ GroupName: 'faults' })],
  ['GetGroups', () => ({})],
  ['DeleteGroup', () => ({ GroupName: 'faults' })],
  ['GetSamplingRules', () => ({})],
  [
    'GetSamplingTargets',
    () => ({
      SamplingStatisticsDocuments: [
        { ...STATISTICS, RuleName: 'Default' },
        { ...STATISTICS, RuleName: 'unknown' },
      ],
      SamplingBoostStatisticsDocuments: [{ RuleName: 'Default' }],
    }),
  ],
  ['BatchGetTraces', () => ({ TraceIds: [SHOP, CONSUMER, OTLP] })],
  ['GetTraceSummaries', () => ({ ...WINDOW, TimeRangeType: 'Event' })],
  ['GetServiceGraph', () => WINDOW],
  ['GetTraceGraph', () => ({ TraceIds: [SHOP, CONSUMER] })],
  ['GetTimeSeriesServiceStatistics', () => WINDOW],
  ['GetTimeSeriesServiceStatistics', () => ({ ...WINDOW, EntitySelectorExpression: 'service("shop")' })],
];

beforeAll(async () => {
  server = await startTestServer();
  const response = await fetch(`${server.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(SPAN),
  });
  expect(await response.json()).toEqual({});
});

afterAll(async () => {
  await server.stop();
  await removeFolder(server.dataDir);
});

async function call(path: string, body: object, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, json: (await response.json()) as object };
}

function awsOperation(name: string) {
  const found = AWS_OPERATIONS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`AWS has no operation ${name}`);
  return found;
}

test('the table has a request for each operation of AWS that openray answers', () => {
  const awsNames = new Set(AWS_OPERATIONS.map(({ name }) => name));
  expect([...new Set(REQUESTS.map(([name]) => name))].sort()).toEqual(
    operations.flatMap(({ name }) => (awsNames.has(name) ? [name] : [])).sort(),
  );
});

test('without the header of extensions, responses have no member that is unknown to AWS', async () => {
  for (const [name, request] of REQUESTS) {
    const { path, output } = awsOperation(name);
    const { status, json } = await call(path, request());
    expect(status, `${name}: ${JSON.stringify(json)}`).toBe(200);
    expect(unknownMembers(output, json), name).toEqual([]);
  }
});

test('sampling targets have no SamplingBoost, since old SDKs for Java refuse even null', async () => {
  const targets = { SamplingStatisticsDocuments: [{ ...STATISTICS, RuleName: 'Default' }] };
  const { json } = await call('/SamplingTargets', targets);
  const { SamplingTargetDocuments: documents } = json as { SamplingTargetDocuments: readonly object[] };
  expect(documents).toHaveLength(1);
  expect(documents[0]).not.toHaveProperty('SamplingBoost');
});

test.each<[operation: string, request: object, members: readonly string[]]>([
  [
    'GetTraceSummaries',
    { ...WINDOW, FilterExpression: 'annotation.tenant = "gold"' },
    ['AnyFault', 'AnyError', 'AnyThrottle', 'WorstOutcome', 'SegmentCount', 'SubsegmentCount'].map(
      (one) => `TraceSummaries.0.${one}`,
    ),
  ],
  ['BatchGetTraces', { TraceIds: [SHOP, OTLP] }, ['Traces.0.Orphans', 'Traces.1.Events', 'Traces.1.Orphans']],
])("with the header %s has openray's own members", async (name, request, members) => {
  const { path, output } = awsOperation(name);
  const { json } = await call(path, request, { 'x-openray-extensions': '1' });
  expect([...unknownMembers(output, json)].sort()).toEqual([...members].sort());
});
