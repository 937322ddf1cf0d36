import { describe, expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import { traceDurationUs } from './duration.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { documentText, orphanDocuments, processedDocuments } from './processed-document.ts';
import { A_START, A_TRACE_ID, anId, aSegment, aSubsegment, received } from './testing/builders.ts';
import type { Trace } from './trace.ts';

const SEGMENT = anId('5a6b7c8d9e0f1a20');
const CALL = anId('ca11');

function assembled(...sent: readonly JsonObject[]): Trace {
  return assembleTrace(received(...sent)) as Trace;
}

function onlyDocument(...sent: readonly JsonObject[]): JsonObject {
  const [first, ...others] = processedDocuments(assembled(...sent));
  expect(others).toEqual([]);
  return first?.document ?? {};
}

describe('a processed document', () => {
  test('nests independent subsegments at any depth, without the ids of their trace and parent', () => {
    const document = onlyDocument(
      aSubsegment({ id: anId('c'), parent_id: anId('b'), name: 'deep' }),
      aSubsegment({ id: anId('b'), parent_id: anId('a'), name: 'middle' }),
      aSegment({ subsegments: [aSubsegment({ id: anId('a'), name: 'inline' })] }),
    );
    const times = { start_time: A_START + 0.1, end_time: A_START + 0.4 };
    const deep = { id: anId('c'), name: 'deep', ...times };
    const middle = { id: anId('b'), name: 'middle', ...times, subsegments: [deep] };
    expect(document).toEqual({
      ...aSegment(),
      subsegments: [{ id: anId('a'), name: 'inline', ...times, subsegments: [middle] }],
    });
  });

  test('begins with id, name, start, trace, end and parent', () => {
    const document = onlyDocument(aSegment({ user: 'u', parent_id: CALL }));
    expect(Object.keys(document)).toEqual(['id', 'name', 'start_time', 'trace_id', 'end_time', 'parent_id', 'user']);
  });

  test('has ids in lower case and the name as X-Ray cuts it', () => {
    const document = onlyDocument(
      aSegment({ id: SEGMENT.toUpperCase(), trace_id: A_TRACE_ID.toUpperCase(), name: 'x'.repeat(250) }),
    );
    expect(document).toMatchObject({ id: SEGMENT, trace_id: A_TRACE_ID, name: 'x'.repeat(200) });
  });

  test('in progress has no end', () => {
    const document = onlyDocument(aSegment({ end_time: null, in_progress: true }));
    expect(document).toMatchObject({ in_progress: true });
    expect(document).not.toHaveProperty('end_time');
  });

  test('names the resource of an AWS call instead of the resource names that were sent', () => {
    const aws = { operation: 'GetItem', table_name: 'carts', resource_names: ['mine'] };
    const [shop, inferred] = processedDocuments(
      assembled(aSegment({ subsegments: [aSubsegment({ name: 'DynamoDB', namespace: 'aws', aws })] })),
    );
    expect(shop?.document).toMatchObject({ subsegments: [{ aws: { ...aws, resource_names: ['carts'] } }] });
    expect(inferred).toMatchObject({ document: { id: inferred?.id, inferred: true, origin: 'AWS::DynamoDB::Table' } });
  });

  test('of a queue has the time that the message waited', () => {
    const send = aSubsegment({
      name: 'SQS',
      namespace: 'aws',
      aws: { operation: 'SendMessage', queue_url: 'https://q' },
    });
    const [, queue] = processedDocuments(assembled(aSegment({ subsegments: [send] })));
    expect(queue?.document).toMatchObject({ origin: 'AWS::SQS::Queue', subsegments: [{ name: 'QueueTime' }] });
  });

  test('is one for each segment, callees included', () => {
    const ids = processedDocuments(
      assembled(
        aSegment({ id: anId('b'), parent_id: CALL, start_time: A_START + 0.2 }),
        aSegment({ subsegments: [aSubsegment({ id: CALL, namespace: 'remote' })] }),
      ),
    ).map(({ id }) => id);
    expect(ids).toEqual([SEGMENT, anId('b')]);
  });
});

test('orphans are documents of their own, as they were sent, with the subsegments below them', () => {
  const orphan = aSubsegment({ id: anId('a'), parent_id: anId('e') });
  const below = aSubsegment({ id: anId('b'), parent_id: anId('a') });
  const trace = assembled(below, orphan);
  expect(processedDocuments(trace)).toEqual([]);
  const { type, trace_id, parent_id, ...nested } = below;
  expect(orphanDocuments(trace)).toEqual([{ id: anId('a'), document: { ...orphan, subsegments: [nested] } }]);
});

test('the duration counts finished entities and no orphans', () => {
  const open = aSubsegment({ id: anId('a'), start_time: A_START - 1, end_time: null, in_progress: true });
  const orphan = aSubsegment({ id: anId('b'), parent_id: anId('e'), end_time: A_START + 100 });
  expect(traceDurationUs(assembled(aSegment({ subsegments: [open] }), orphan))).toBe(1_500_000);
  expect(traceDurationUs(assembled(orphan))).toBeUndefined();
});

test('the text is JSON of the document for any depth of subsegments', () => {
  const idOf = (level: number) => (level + 1).toString(16).padStart(16, '0');
  const flat = aSegment({
    subsegments: [aSubsegment({ id: anId('1'), name: 'a' }), aSubsegment({ id: anId('2'), name: 'b' })],
  });
  expect(JSON.parse(documentText(flat))).toEqual(flat);
  const chain = Array.from({ length: 10_000 }, (_, level) =>
    aSubsegment({ id: idOf(level + 1), parent_id: idOf(level) }),
  );
  const [document] = processedDocuments(assembled(aSegment({ id: idOf(0) }), ...chain));
  const text = documentText(document?.document ?? {});
  expect(text.match(/"id":/g)).toHaveLength(10_001);
  let depth = 0;
  for (let at = JSON.parse(text); at !== undefined; at = at.subsegments?.[0]) depth++;
  expect(depth).toBe(10_001);
});

/** Every field that X-Ray documents, and further fields that clients send. */
const EVERY_FIELD = {
  segment: aSegment({
    parent_id: CALL,
    type: 'segment',
    user: 'u-17',
    origin: 'AWS::ECS::Container',
    resource_arn: 'arn:aws:ecs:x',
    service: {
      version: '4.2.0',
      runtime: 'node',
      runtime_version: '20',
      compiler: 'c',
      compiler_version: '1',
      name: 's',
    },
    http: {
      request: {
        method: 'POST',
        url: 'https://shop.example/cart',
        user_agent: 'curl/8',
        client_ip: '192.0.2.9',
        x_forwarded_for: true,
      },
      response: { status: 502, content_length: -1 },
    },
    aws: {
      account_id: '000000000000',
      cloudwatch_logs: [{ log_group: 'g', arn: 'a' }],
      ec2: { instance_id: 'i-1', instance_size: 'm', ami_id: 'ami', availability_zone: 'a' },
      ecs: {
        container: 'c',
        container_id: 'i',
        container_arn: 'a',
        task_arn: 't',
        task_family: 'f',
        cluster_arn: 'c',
        launch_type: 'l',
      },
      eks: { cluster_name: 'c', pod: 'p', container_id: 'i' },
      elastic_beanstalk: { environment_name: 'e', environment: 'e', version_label: 'v', deployment_id: 3 },
      function_arn: 'f',
      request_id: 'r',
      resource_names: ['n'],
      api_gateway: { account_id: 'a', rest_api_id: 'r', stage: 's', request_id: 'r' },
      xray: { sdk: 's', sdk_version: '1', auto_instrumentation: false, sampling_rule_name: 'Default', package: 'p' },
      tracing: { sdk: 's' },
    },
    error: true,
    fault: true,
    throttle: true,
    cause: {
      working_directory: '/srv',
      paths: ['a.ts'],
      id: anId('f'),
      exceptions: [
        {
          id: anId('e'),
          message: 'm',
          type: 'T',
          remote: true,
          truncated: 1,
          skipped: 2,
          cause: anId('d'),
          stack: [{ path: 'cart.ts', line: 42, label: 'reserve' }],
        },
      ],
    },
    annotations: { text: 'acme', number: 2.5, flag: false, dropped: { not: 'indexed' } },
    metadata: { default: { cart: [1, null, { deep: true }] } },
    links: [{ trace_id: A_TRACE_ID, id: anId('c'), attributes: { 'aws.xray.reserved.reference_type': 'parent' } }],
    unknown: { kept: [1, 'x', null] },
  }),
  subsegment: aSubsegment({
    id: CALL,
    namespace: 'aws',
    precursor_ids: [anId('1')],
    traced: true,
    sql: {
      connection_string: 'c',
      url: 'u',
      sanitized_query: 'q',
      database_type: 't',
      database_version: 'v',
      driver_version: 'd',
      user: 'u',
      preparation: 'statement',
    },
    aws: {
      operation: 'GetItem',
      account_id: 'a',
      region: 'r',
      request_id: 'i',
      id_2: 's3',
      retries: 2,
      queue_url: 'q',
      table_name: 't',
      bucket_name: 'b',
      key: 'k',
      topic_arn: 't',
      function_name: 'f',
      table_names: ['t'],
      resource_names: ['r'],
      stream_name: 's',
    },
    http: { request: { url: '/path', traced: true }, response: { status: 200, content_length: '12' } },
    cause: anId('e'),
    in_progress: false,
    unknown: 'kept',
  }),
} satisfies Record<string, JsonObject>;

/** Fields that BatchGetTraces omits, with the reason. */
const LEFT_OUT = new Map([['subsegments.0.http.request.traced', 'X-Ray removes it']]);

test('every documented field is returned as it was sent', () => {
  const sent: JsonObject = { ...EVERY_FIELD.segment, subsegments: [EVERY_FIELD.subsegment] };
  const returned = new Map(leavesOf(processedDocuments(assembled(sent))[0]?.document ?? {}));
  const missing = leavesOf(sent).filter(([path, value]) => returned.get(path) !== value);
  expect(missing.map(([path]) => path)).toEqual([...LEFT_OUT.keys()]);
});

function leavesOf(value: JsonValue, path: readonly string[] = []): [string, JsonValue][] {
  if (typeof value !== 'object' || value === null) return [[path.join('.'), value]];
  return Object.entries(value).flatMap(([key, member]) => leavesOf(member, [...path, key]));
}
