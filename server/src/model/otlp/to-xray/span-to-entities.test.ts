import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../json.ts';
import { KIND, type Span, STATUS } from '../../otlp-messages.ts';
import { calledService } from '../../service-names.ts';
import { A_PARENT_ID, aSpan } from '../../testing/spans.ts';
import { spanToEntities } from './span-to-entities.ts';

type Members = Omit<Partial<Span>, 'attributes'>;

const NONE = { indexed: new Set<string>() };

function translated(
  attributes: Record<string, JsonValue>,
  members: Members = {},
  resource?: Record<string, JsonValue>,
) {
  const [entity] = spanToEntities(aSpan({ ...members, attributes }, resource), NONE);
  if (entity === undefined) throw new Error('a span is always something');
  return entity;
}

const INSIDE = { parentSpanId: A_PARENT_ID, flags: 0x101 };
const CALL = { ...INSIDE, kind: KIND.client };
const callOf = (attributes: Record<string, JsonValue>, members: Members = {}) =>
  translated(attributes, { ...CALL, ...members });
const serverOf = (attributes: Record<string, JsonValue>) => translated(attributes, { kind: KIND.server });

describe('the shape of a span', () => {
  test.each<[string, Members, Record<string, JsonValue>, readonly string[]]>([
    ['without a parent', { kind: KIND.internal }, {}, ['segment']],
    ['with a remote parent', { ...CALL, kind: KIND.server, flags: 0x301 }, {}, ['segment']],
    ['with a local parent', { ...INSIDE, kind: KIND.server }, {}, ['subsegment']],
    ['without flags, a server', { parentSpanId: A_PARENT_ID, kind: KIND.server }, {}, ['segment']],
    ['without flags, not a server', { parentSpanId: A_PARENT_ID, kind: KIND.internal }, {}, ['subsegment']],
    [
      'marked as a local root',
      { parentSpanId: A_PARENT_ID, kind: KIND.internal },
      { 'aws.span.kind': 'LOCAL_ROOT' },
      ['segment'],
    ],
    ['with a parent id of zeros', { parentSpanId: '0'.repeat(16), kind: KIND.internal }, {}, ['segment']],
    ['a call without a parent', { kind: KIND.producer }, {}, ['segment', 'subsegment']],
    ['a consumer', { kind: KIND.consumer }, {}, ['segment']],
    ['a consumer that polls', { kind: KIND.consumer }, { 'rpc.system': 'aws-api' }, ['segment', 'subsegment']],
    ['of an unknown kind', { kind: 99 }, {}, ['segment']],
  ])('%s', (_what, members, attributes, kinds) => {
    const entities = spanToEntities(aSpan({ ...members, attributes }), NONE);
    expect(entities.map(({ kind }) => kind)).toEqual(kinds);
  });
});

describe('its name', () => {
  test.each<[Record<string, JsonValue>, string, string | undefined]>([
    [{ 'peer.service': 'stock', 'server.address': 'h' }, 'stock', 'remote'],
    [{ 'db.system': 'postgresql', 'db.name': 'orders', 'server.address': 'db.example' }, 'orders@db.example', 'remote'],
    [{ 'db.system': 'redis' }, 'redis', 'remote'],
    [
      { 'db.system': 'mysql', 'db.name': 'a', 'db.connection_string': 'jdbc:mysql://h.example:3306/a' },
      'a@h.example',
      'remote',
    ],
    [{ 'messaging.system': 'kafka', 'messaging.destination': 'orders' }, 'orders', 'remote'],
    [{ 'rpc.system': 'grpc', 'rpc.method': 'shop.Cart/Get' }, 'shop.Cart', 'remote'],
    [{ 'http.host': 'api.example:8080' }, 'api.example', 'remote'],
    [{ 'url.full': 'https://api.example.com/x' }, 'api.example.com', 'remote'],
    [{ 'network.peer.address': '10.0.0.9' }, '10.0.0.9', 'remote'],
    [{}, 'work', 'remote'],
    [{ 'aws.remote.service': 'AWS::S3' }, 'S3', 'aws'],
    [{ 'aws.remote.service': 'AWS.SDK.Kinesis' }, 'Kinesis', 'aws'],
    [{ 'aws.remote.service': 'AWS::AmazonDynamoDBv2' }, 'AmazonDynamoDBv2', 'aws'],
    [{ 'rpc.system': 'aws-api', 'rpc.service': 'AWS::AmazonDynamoDBv2' }, 'AmazonDynamoDBv2', 'aws'],
    [{ 'rpc.system': 'aws-api', 'rpc.service': 'DynamoDB', 'db.namespace': 'users' }, 'DynamoDB', 'aws'],
    [{ 'rpc.system.name': 'aws-api', 'rpc.method': 'SecretsManager/GetSecretValue' }, 'SecretsManager', 'aws'],
    [{ 'messaging.system': 'aws_sqs' }, 'SQS', 'aws'],
    [{ 'messaging.system': 'aws.sns' }, 'SNS', 'aws'],
  ])('%j: %s', (attributes, name, namespace) => {
    expect(callOf(attributes)).toMatchObject({ name, namespace });
  });

  test('a segment has the name of its service, if the service is named', () => {
    expect(serverOf({}).name).toBe('api');
    expect(translated({}, {}, { 'service.name': 'unknown_service:node' }).name).toBe('work');
    expect(translated({ 'aws.local.service': 'cart' }).name).toBe('cart');
    expect(translated({}, {}, { 'service.name': 'a|b?c' }).name).toBe('abc');
    expect(translated({}, { name: undefined }, {}).name).toBe('span');
    expect(translated({}, {}, { 'service.name': '😀'.repeat(300) }).name).toBe('span');
    expect(translated({}, {}, { 'service.name': 'é'.repeat(300) }).name).toBe('é'.repeat(200));
  });
});

describe('http', () => {
  test('old and new conventions give the same, also together', () => {
    const old = { 'http.method': 'GET', 'http.status_code': 200, 'http.url': 'http://h/x', 'http.user_agent': 'curl' };
    const now = {
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'url.full': 'http://h/x',
      'user_agent.original': 'curl',
    };
    const http = { request: { method: 'GET', url: 'http://h/x', user_agent: 'curl' }, response: { status: 200 } };
    for (const attributes of [old, now, { ...old, ...now }]) {
      const { fields } = callOf(attributes);
      expect(fields.http).toEqual(http);
      expect(fields).not.toHaveProperty('metadata');
    }
  });

  test.each<[Record<string, JsonValue>, string | undefined]>([
    [
      { 'url.scheme': 'https', 'server.address': 'h', 'server.port': 443, 'url.path': '/a', 'url.query': 'b=1' },
      'https://h/a?b=1',
    ],
    [{ 'http.scheme': 'http', 'http.host': 'h:81', 'http.target': '/a?b' }, 'http://h:81/a?b'],
    [{ 'http.method': 'GET', 'net.host.name': 'h', 'net.host.port': 8080 }, 'http://h:8080/'],
    [{ 'http.method': 'GET', 'url.path': '/only' }, '/only'],
    [{ 'http.method': 'GET' }, undefined],
    [{ 'http.method': 'GET', 'server.address': '::1', 'server.port': 80 }, 'http://[::1]/'],
  ])('the URL of a server with %j', (attributes, url) => {
    expect(serverOf(attributes).http?.url).toBe(url);
  });

  test("Brave's path becomes a URL", () => {
    const path = { 'http.method': 'GET', 'http.path': '/api' };
    expect(serverOf(path).http?.url).toBe('/api');
    expect(callOf(path).http?.url).toBe('/api');
    const address = { 'network.peer.address': '2001:db8::1', 'network.peer.port': 9000 };
    expect(callOf({ ...path, ...address }).http?.url).toBe('http://[2001:db8::1]:9000/api');
    expect(callOf({ ...path, 'http.host': 'h' }).http?.url).toBe('http://h/api');
  });

  test('a span with only an address and a port has no http', () => {
    expect(serverOf({ 'net.host.port': 80, 'server.address': 'h' }).http).toBeUndefined();
  });

  test('the address of a called server is not a client address, that of a client behind a proxy is', () => {
    expect(callOf({ 'http.method': 'GET', 'network.peer.address': '10.0.0.9' }).http?.clientIp).toBeUndefined();
    const { fields } = serverOf({
      'http.method': 'GET',
      'client.address': '1.2.3.4',
      'network.peer.address': '10.0.0.9',
    });
    expect(fields.http).toMatchObject({ request: { client_ip: '1.2.3.4', x_forwarded_for: true } });
  });

  test('the URL of a message to SQS is its queue, not a request', () => {
    const { fields } = callOf({
      'rpc.system': 'aws-api',
      'rpc.service': 'SQS',
      'rpc.method': 'SendMessage',
      'messaging.system': 'aws_sqs',
      'url.full': 'https://sqs.example/q',
      'http.status_code': 200,
    });
    expect(fields).toMatchObject({ aws: { queue_url: 'https://sqs.example/q' }, http: { response: { status: 200 } } });
    expect(fields.http).not.toHaveProperty('request');
  });
});

describe('calls to AWS', () => {
  const sdk = (service: string, method: string) => ({
    'rpc.system': 'aws-api',
    'rpc.service': service,
    'rpc.method': method,
  });

  test.each<[Record<string, JsonValue>, JsonObject, string]>([
    [
      { ...sdk('S3', 'PutObject'), 'aws.s3.bucket': 'b', 'aws.s3.key': 'k' },
      { bucket_name: 'b', key: 'k' },
      'AWS::S3::Bucket',
    ],
    [{ ...sdk('SNS', 'Publish'), 'aws.sns.topic.arn': 'arn:t' }, { topic_arn: 'arn:t' }, 'AWS::SNS'],
    [{ ...sdk('Lambda', 'Invoke'), 'faas.invoked_name': 'f' }, { function_name: 'f' }, 'AWS::Lambda'],
    [{ ...sdk('Kinesis', 'PutRecord'), 'aws.kinesis.stream.name': 's' }, { stream_name: 's' }, 'AWS::Kinesis'],
    [{ ...sdk('DynamoDB', 'GetItem'), 'aws.dynamodb.table_names': ['t'] }, { table_name: 't' }, 'AWS::DynamoDB::Table'],
    [
      { ...sdk('DynamoDB', 'BatchGetItem'), 'aws.dynamodb.table_names': ['t', 'u'] },
      { table_names: ['t', 'u'] },
      'AWS::DynamoDB',
    ],
    [
      { ...sdk('DynamoDB', 'GetItem'), 'aws.request.id': 'R', 'cloud.region': 'eu-west-1' },
      { request_id: 'R', region: 'eu-west-1' },
      'AWS::DynamoDB',
    ],
    [
      { ...sdk('DynamoDB', 'Query'), 'aws.dynamodb.consumed_capacity': ['{"TableName":"t"}'] },
      { consumed_capacity: [{ TableName: 't' }] },
      'AWS::DynamoDB',
    ],
    [{ 'rpc.system.name': 'aws-api', 'rpc.method': 'DynamoDB/PutItem' }, { operation: 'PutItem' }, 'AWS::DynamoDB'],
  ])('%j', (attributes, aws, type) => {
    const call = callOf(attributes);
    expect(call.fields.aws).toMatchObject(aws);
    expect(calledService(call).type).toBe(type);
  });

  test('a gRPC method is not an operation of AWS', () => {
    expect(callOf({ 'rpc.system': 'grpc', 'rpc.service': 'shop.Cart', 'rpc.method': 'Get' }).fields).not.toHaveProperty(
      'aws',
    );
  });

  test("a resource that AWS's distribution names is the called service", () => {
    const call = callOf({
      'aws.remote.service': 'AWS::DynamoDB',
      'aws.remote.resource.type': 'AWS::DynamoDB::Table',
      'aws.remote.resource.identifier': 'carts',
    });
    expect(calledService(call)).toEqual({ name: 'carts', type: 'AWS::DynamoDB::Table', accountId: undefined });
  });
});

describe('a database is called', () => {
  test.each<[string, Record<string, JsonValue>, string, string]>([
    [
      'Redis with the number of a database',
      { 'db.system.name': 'redis', 'db.namespace': '0', 'server.address': 'cache.internal' },
      'redis@cache.internal',
      'Database::Redis',
    ],
    ['Redis without attributes', { 'db.system': 'redis' }, 'redis', 'Database::Redis'],
    [
      'Redis of old conventions',
      { 'db.system': 'redis', 'net.peer.name': 'cache.internal', 'db.redis.database_index': 3 },
      'redis@cache.internal',
      'Database::Redis',
    ],
    [
      'MongoDB',
      { 'db.system': 'mongodb', 'db.name': 'shop', 'net.peer.name': 'mongo.internal' },
      'shop@mongo.internal',
      'Database::MongoDB',
    ],
    [
      'Elasticsearch',
      { 'db.system.name': 'elasticsearch', 'server.address': 'search.internal' },
      'elasticsearch@search.internal',
      'Database::Elasticsearch',
    ],
    ['Memcached', { 'db.system': 'memcached', 'server.address': 'mc' }, 'memcached@mc', 'Database::Memcached'],
    ['Cassandra', { 'db.system': 'cassandra', 'db.name': 'ks', 'server.address': 'c' }, 'ks@c', 'Database::Cassandra'],
    ['an unknown kind', { 'db.system.name': 'newdb', 'server.address': 'h' }, 'newdb@h', 'Database::newdb'],
    [
      'SQL with a database that is a number',
      { 'db.system': 'postgresql', 'db.name': '7', 'server.address': 'h' },
      '7@h',
      'Database::SQL',
    ],
    ['a name that its caller gives', { 'db.system': 'redis', 'peer.service': 'carts' }, 'carts', 'Database::Redis'],
  ])('%s', (_, attributes, name, type) => {
    expect(calledService(callOf(attributes))).toEqual({ name, type, accountId: undefined });
  });
});

describe('a request to AWS', () => {
  test.each([
    ['aws_sqs', 'SendMessage'],
    ['aws.sns', 'Publish'],
  ])('of a producer of messages to %s has the operation %s', (system, operation) => {
    const send = callOf({ 'messaging.system': system }, { kind: KIND.producer, name: 'jobs send' });
    expect(send.fields.aws).toMatchObject({ operation });
  });

  test('has the name of the service, although the distribution names the function', () => {
    const call = callOf({
      'rpc.system': 'aws-api',
      'rpc.service': 'Lambda',
      'rpc.method': 'Invoke',
      'aws.remote.service': 'mailer',
      'aws.lambda.function.name': 'mailer',
      'aws.remote.resource.type': 'AWS::Lambda::Function',
      'aws.remote.resource.identifier': 'mailer',
    });
    expect(calledService(call)).toEqual({ name: 'mailer', type: 'AWS::Lambda', accountId: undefined });
  });
});

describe('its resource', () => {
  test.each<[Record<string, JsonValue>, string | undefined]>([
    [{ 'cloud.platform': 'aws_ec2' }, 'AWS::EC2::Instance'],
    [{ 'cloud.platform': 'aws.ec2' }, 'AWS::EC2::Instance'],
    [{ 'cloud.platform': 'aws_ecs', 'aws.ecs.launchtype': 'FARGATE' }, 'AWS::ECS::Fargate'],
    [{ 'cloud.platform': 'aws_ecs' }, 'AWS::ECS::Container'],
    [{ 'cloud.platform': 'aws_lambda', 'cloud.provider': 'aws' }, 'AWS::Lambda::Function'],
    [{ 'cloud.platform': 'aws_ec2', 'cloud.provider': 'gcp' }, undefined],
    [{ 'cloud.platform': 'azure.vm' }, undefined],
    [{ 'host.id': 'i-01' }, undefined],
  ])('%j: %s', (resource, origin) => {
    expect(translated({}, {}, resource).origin).toBe(origin);
  });

  test('the host id of a laptop is no EC2 instance, and a call to AWS may come from another cloud', () => {
    expect(translated({}, {}, { 'host.id': '4c4c4544' }).fields).not.toHaveProperty('aws');
    const call = { 'rpc.system': 'aws-api', 'rpc.service': 'S3', 'aws.s3.bucket': 'b' };
    const [, below] = spanToEntities(
      aSpan({ kind: KIND.client, attributes: call }, { 'cloud.provider': 'azure' }),
      NONE,
    );
    expect(below?.fields.aws).toMatchObject({ bucket_name: 'b' });
  });

  test('all attributes of the resource are metadata of the segment', () => {
    const resource = { 'service.name': 'api', 'k8s.pod.name': 'p', tags: ['a'] };
    expect(translated({}, {}, resource).metadata).toEqual({
      default: { 'otel.resource.service.name': 'api', 'otel.resource.k8s.pod.name': 'p', 'otel.resource.tags': ['a'] },
    });
  });
});

describe('databases', () => {
  test.each(['postgresql', 'mssql', 'microsoft.sql_server', 'clickhouse'])('%s is an SQL database', (system) => {
    const { fields } = callOf({
      'db.system': system,
      'db.statement': 'SELECT 1',
      'server.address': 'h',
      'db.name': 'd',
    });
    expect(fields.sql).toEqual({ url: `${system}://h/d`, database_type: system, sanitized_query: 'SELECT 1' });
  });

  test('other databases have no sql, and their attributes are metadata', () => {
    const { fields } = callOf({ 'db.system': 'redis', 'db.statement': 'GET a' });
    expect(fields).not.toHaveProperty('sql');
    expect(fields.metadata).toEqual({ default: { 'db.system': 'redis', 'db.statement': 'GET a' } });
  });
});

describe('its outcome', () => {
  const error = { code: STATUS.error };
  test.each<[Record<string, JsonValue>, Span['status'], string]>([
    [{ 'http.status_code': 404 }, { code: STATUS.ok }, 'error'],
    [{ 'http.response.status_code': '503' }, undefined, 'fault'],
    [{ 'http.status_code': 600 }, undefined, 'ok'],
    [{ 'rpc.grpc.status_code': 8 }, error, 'throttle'],
    [{ 'rpc.grpc.status_code': 5 }, error, 'error'],
    [{ 'rpc.response.status_code': 'UNAVAILABLE' }, undefined, 'fault'],
    [{ 'rpc.status_code': 'OK' }, error, 'fault'],
    [{}, error, 'fault'],
    [{ 'rpc.system': 'aws-api', 'error.type': 'ThrottlingException' }, error, 'throttle'],
    [{ 'rpc.system': 'aws-api', 'error.type': 'ResourceNotFoundException' }, error, 'fault'],
    [{}, undefined, 'ok'],
  ])('%j with the status %j: %s', (attributes, status, outcome) => {
    expect(callOf(attributes, { ...(status && { status }) }).outcome).toBe(outcome);
  });
});

test('metadata that translators wrote as JSON text are parsed', () => {
  const { metadata } = translated(
    { 'aws.xray.metadata.app': '{"a":1}', 'aws.xray.metadata.Default': '{"b":2}', c: 3 },
    {},
    {},
  );
  expect(metadata).toEqual({ app: { a: 1 }, default: { b: 2, c: 3 } });
  expect(translated({ 'aws.xray.metadata.app': 'no JSON' }, {}, {}).metadata).toEqual({
    default: { 'aws.xray.metadata.app': 'no JSON' },
  });
});

test('with the setting `*` all attributes with a type of X-Ray are annotations', () => {
  const attributes = { tenant: 'acme', 'http.request.method': 'GET', n: 1.5, ok: true, tags: ['a'], 'odd key!': 1 };
  const [entity] = spanToEntities(aSpan({ attributes }, {}), { indexed: new Set(['*']) });
  expect(entity?.annotations).toEqual({ tenant: 'acme', 'http.request.method': 'GET', n: 1.5, ok: true, odd_key_: 1 });
  expect(entity?.metadata).toEqual({ default: { tags: ['a'] } });
});
