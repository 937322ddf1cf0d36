import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../json.ts';
import { isJsonObject, readObject } from '../../json.ts';
import { KIND, type SpanWithResource, STATUS } from '../../otlp-messages.ts';
import { arbitrarySpan } from '../../testing/arbitrary-span.ts';
import { A_START, A_TRACE_ID, received } from '../../testing/builders.ts';
import { fieldsByMessage } from '../../testing/otlp-protocol.ts';
import { aSpan, attributes } from '../../testing/spans.ts';
import { entitiesToSpans } from './entities-to-spans.ts';
import { restoreEntities } from './restore-entities.ts';
import { spanToDocuments } from './span-to-documents.ts';

/** Messages of OTLP in a span. The generated spans must have every field of them. */
const SPAN_MESSAGES = [
  'Resource',
  'EntityRef',
  'InstrumentationScope',
  'Span',
  'Event',
  'Link',
  'Status',
  'KeyValue',
  'AnyValue',
];

test('the generated spans have every field of every message', () => {
  const seen = new Set<string>();
  const see = (message: string, value: object | undefined) => {
    for (const [member, inner] of Object.entries(value ?? {})) {
      if (inner === undefined) continue;
      seen.add(`${message}.${member}`);
      if (member === 'attributes') for (const one of inner as object[]) see('KeyValue', one);
      if (member === 'value') see('AnyValue', inner as object);
      if (member === 'events') for (const one of inner as object[]) see('Event', one);
      if (member === 'links') for (const one of inner as object[]) see('Link', one);
      if (member === 'status') see('Status', inner as object);
      if (member === 'entityRefs') for (const one of inner as object[]) see('EntityRef', one);
    }
  };
  for (const { resource, scope, span } of fc.sample(arbitrarySpan, { numRuns: 500, seed: 1 })) {
    see('Resource', resource);
    see('InstrumentationScope', scope);
    see('Span', span);
  }
  const fields = fieldsByMessage();
  const all = SPAN_MESSAGES.flatMap((message) => (fields.get(message) ?? []).map((field) => `${message}.${field}`));
  expect(all.length).toBeGreaterThan(45);
  expect(all.filter((field) => !seen.has(field))).toEqual([]);
});

/** A span in which no field can be derived from its plain document. */
const EVERY_FIELD: SpanWithResource = {
  ...aSpan({
    traceState: 'a=1',
    parentSpanId: 'b7ad6b7169203331',
    flags: 0x3ff,
    kind: KIND.consumer,
    startTimeUnixNano: '1716560000000000001',
    endTimeUnixNano: '1716560000500000001',
    attributes: { tenant: 'acme' },
    droppedAttributesCount: 1,
    events: [{ name: 'picked', timeUnixNano: '1716560000100000000' }],
    droppedEventsCount: 2,
    links: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceState: 'b=2' }],
    droppedLinksCount: 3,
    status: { code: STATUS.ok },
  }),
  scope: { name: 'test', version: '1' },
  scopeSchemaUrl: 'scope-schema',
  resourceSchemaUrl: 'resource-schema',
};

test('the round trip data hold exactly the fields that a plain document cannot express', () => {
  const [document] = spanToDocuments(EVERY_FIELD, { indexed: new Set() });
  const data = readObject(readObject(document?.metadata)?.['openray.otlp']) ?? {};
  expect(Object.keys(data).sort()).toEqual(
    [
      'v',
      'h',
      'name',
      'kind',
      'flags',
      'state',
      'start',
      'end',
      'status',
      'events',
      'links',
      'dropped',
      'scope',
      'resource',
    ].sort(),
  );
});

const id = (digit: string) => digit.repeat(16);

/** Every member in the documentation of X-Ray, and some that only clients write. */
const EVERY_MEMBER: JsonObject = {
  name: 'shop',
  id: id('1'),
  trace_id: A_TRACE_ID,
  parent_id: id('9'),
  start_time: A_START,
  end_time: A_START + 0.5,
  service: { version: '4.2.0', runtime: 'node', runtime_version: 'v20', name: 'shop', compiler: 'c' },
  user: 'u-17',
  origin: 'AWS::ECS::Container',
  resource_arn: 'arn:aws:ecs:eu-west-1:000000000000:task/a',
  http: {
    request: {
      method: 'POST',
      url: 'https://shop.example/cart?x=1',
      user_agent: 'curl/8',
      client_ip: '192.0.2.9',
      x_forwarded_for: true,
    },
    response: { status: 502, content_length: 31 },
  },
  aws: {
    account_id: '000000000000',
    cloudwatch_logs: [{ log_group: 'g', arn: 'arn:aws:logs:eu-west-1:000000000000:log-group:g' }],
    ec2: { instance_id: 'i-01', instance_size: 'm5', ami_id: 'ami-1', availability_zone: 'eu-west-1a' },
    ecs: { container: 'c', container_id: 'cid', container_arn: 'arn' },
    eks: { cluster_name: 'k', pod: 'p' },
    elastic_beanstalk: { environment_name: 'e', version_label: 'v', deployment_id: 7 },
    xray: {
      sdk: 'X-Ray for Node.js',
      sdk_version: '3.12.0',
      auto_instrumentation: false,
      sampling_rule_name: 'Default',
    },
  },
  fault: true,
  cause: {
    working_directory: '/srv',
    paths: ['a'],
    exceptions: [
      {
        id: id('e'),
        type: 'UpstreamError',
        message: 'stock said 503',
        remote: true,
        truncated: 2,
        skipped: 1,
        cause: id('f'),
        stack: [{ path: 'cart.ts', line: 42, label: 'reserve' }],
      },
    ],
  },
  annotations: { tenant: 'acme', attempt: 2, beta: true },
  metadata: { default: { cart: [1, 2, 3] }, app: { a: 1 } },
  links: [{ trace_id: A_TRACE_ID, id: id('7'), attributes: { 'aws.xray.reserved.reference_type': 'parent' } }],
  subsegments: [
    {
      id: id('2'),
      name: 'DynamoDB',
      namespace: 'aws',
      start_time: A_START,
      end_time: A_START + 0.1,
      precursor_ids: [id('3')],
      traced: true,
      aws: {
        operation: 'GetItem',
        region: 'eu-west-1',
        request_id: 'R1',
        id_2: 'x',
        retries: 2,
        table_name: 'carts',
        bucket_name: 'b',
        key: 'k',
        queue_url: 'https://sqs.example/q',
        topic_arn: 'arn:aws:sns:eu-west-1:000000000000:t',
        function_name: 'f',
        stream_name: 's',
        state_machine_arn: 'arn:aws:states',
        resource_names: ['carts'],
      },
      http: { response: { status: 200, content_length: 12 }, request: { traced: false } },
    },
    {
      id: id('3'),
      name: 'orders@db.example',
      namespace: 'remote',
      start_time: A_START,
      end_time: A_START + 0.1,
      sql: {
        url: 'postgresql://db.example:5432/orders',
        connection_string: 'dsn',
        sanitized_query: 'SELECT 1',
        database_type: 'PostgreSQL',
        database_version: '16',
        driver_version: '8',
        user: 'app',
        preparation: 'statement',
      },
    },
    { id: id('4'), name: 'waiting', start_time: A_START, in_progress: true, namespace: 'local' },
  ],
};

/** Members for which OpenTelemetry has no attribute: they are in the attribute `openray.xray`. */
const WITHOUT_A_WORD = [
  'service.name',
  'service.compiler',
  'aws.xray.auto_instrumentation',
  'aws.xray.sampling_rule_name',
  'aws.ec2',
  'aws.eks',
  'aws.elastic_beanstalk',
  'cause.working_directory',
  'cause.paths',
  'cause.exceptions',
  'aws.resource_names',
  'aws.table_name',
  'http.request.traced',
  'precursor_ids',
  // The value `local`, which some SDKs write.
  'namespace',
  'sql.database_version',
  'sql.driver_version',
  'sql.preparation',
  // OpenTelemetry spells the names of databases differently.
  'sql.database_type',
  'sql.url',
];

test('every member of X-Ray documents has an attribute in a span, or is in the list of those without one', () => {
  const [document] = received(EVERY_MEMBER);
  const entities = document?.entities ?? [];
  const segment = entities[0]?.fields ?? {};
  const spans = entitiesToSpans(entities.map((entity) => ({ ...entity, segment, isFromSpan: false })));
  const kept = spans.flatMap(({ span }) => {
    const rest = span.attributes?.find(({ key }) => key === 'openray.xray')?.value?.stringValue;
    return rest === undefined ? [] : pathsOf((JSON.parse(rest) as { set: JsonObject }).set);
  });
  const isListed = (path: string) => WITHOUT_A_WORD.some((listed) => path === listed || path.startsWith(`${listed}.`));
  expect([...new Set(kept)].filter((path) => !isListed(path))).toEqual([]);

  const back = spans.map((entry) => restoreEntities(entry, { indexed: new Set() })[0]?.fields);
  expect(back[0]).toEqual(segment);
  expect(back.slice(1).map((fields) => without(fields, 'trace_id', 'parent_id', 'type'))).toEqual(
    entities.slice(1).map(({ fields }) => fields),
  );
});

function pathsOf(value: JsonObject, above = ''): readonly string[] {
  return Object.entries(value).flatMap(([key, inner]: [string, JsonValue]) =>
    isJsonObject(inner) ? pathsOf(inner, `${above}${key}.`) : [`${above}${key}`],
  );
}

function without(fields: JsonObject | undefined, ...keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([key]) => !keys.includes(key)));
}

test('the order of attributes does not change the translation', () => {
  const one = aSpan({ attributes: attributes({ a: 1, b: 2, 'url.path': '/x', 'http.request.method': 'GET' }) });
  const other = { ...one, span: { ...one.span, attributes: one.span.attributes?.toReversed() } };
  expect(restoreEntities(other, { indexed: new Set() })).toEqual(restoreEntities(one, { indexed: new Set() }));
});
